#pragma once

#include "cdcmtk_dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Whether DCMTK decodes pixel data of this transfer syntax.
int32_t cdcmtk_can_decode(const char *transfer_syntax_uid);

/// The bytes that one decoded frame takes: rows × columns × samples × allocated bytes. −1 with a status when the
/// dataset does not describe a picture or when its size is beyond what the file can hold.
int64_t cdcmtk_frame_size(cdcmtk_dataset *dataset, cdcmtk_status *status);

/// Decodes frame `frame` (from 0) of a dataset opened with `CDCMTK_WHOLE_FILE` into `buffer`: the stored cells, in rows,
/// in this machine's byte order. `fragment` remembers, between calls for rising frame numbers, where the next frame starts; begin with 0.
/// Returns the bytes written or −1 with a status.
int64_t cdcmtk_decode_frame(
    cdcmtk_dataset *dataset, uint32_t frame, uint32_t *fragment, void *buffer, int64_t capacity, cdcmtk_status *status);

#ifdef __cplusplus
}
#endif
