#pragma once

#include "cdcmtk_dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A new dataset without attributes; `cdcmtk_dataset_root` gives the item to put them into. `NULL` on failure. Closed with
/// `cdcmtk_dataset_close`.
cdcmtk_dataset *cdcmtk_dataset_create(cdcmtk_status *status);

/// The functions below return 1, or 0 with a status. An attribute that is there already is replaced.

/// Sets a value of any VR but SQ, OB and OW from text: components separated by backslashes, in the dataset's Specific Character Set.
int32_t cdcmtk_item_set_string(const cdcmtk_item *item, uint32_t tag, const char *value, cdcmtk_status *status);
/// Sets a value of VR FD, or of VR OB (also Pixel Data, whose words are little endian).
int32_t cdcmtk_item_set_doubles(const cdcmtk_item *item, uint32_t tag, const double *values, int64_t count, cdcmtk_status *status);
int32_t cdcmtk_item_set_bytes(const cdcmtk_item *item, uint32_t tag, const uint8_t *bytes, int64_t count, cdcmtk_status *status);
/// Sets an attribute without a value, or a sequence without items.
int32_t cdcmtk_item_set_empty(const cdcmtk_item *item, uint32_t tag, cdcmtk_status *status);
/// Takes an attribute over as it stands in `source`, byte for byte, sequences whole.
int32_t cdcmtk_item_copy(const cdcmtk_item *item, const cdcmtk_item *source, uint32_t tag, cdcmtk_status *status);
/// Appends an item to a sequence, which is made when it is not there. `NULL` on failure.
const cdcmtk_item *cdcmtk_item_append(const cdcmtk_item *item, uint32_t sequence, cdcmtk_status *status);

/// Converts all text to UTF-8 and says so in Specific Character Set.
int32_t cdcmtk_dataset_convert_to_utf8(cdcmtk_dataset *dataset, cdcmtk_status *status);
/// Writes the dataset as a file in Explicit VR Little Endian. An existing file is replaced.
int32_t cdcmtk_dataset_save(cdcmtk_dataset *dataset, const char *path, cdcmtk_status *status);

/// Reads a file as the structured report that it claims to be: value types, relationships and required attributes of its SOP class.
int32_t cdcmtk_report_check(const char *path, cdcmtk_status *status);

#ifdef __cplusplus
}
#endif
