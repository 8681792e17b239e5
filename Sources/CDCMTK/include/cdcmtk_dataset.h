#pragma once

#include "cdcmtk.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An open DICOM file. One thread at a time; different files may be used on different threads.
typedef struct cdcmtk_dataset cdcmtk_dataset;
/// The attributes of a dataset or of a sequence item; lives as long as the dataset that it belongs to.
typedef struct cdcmtk_item cdcmtk_item;

/// Which part of a file `cdcmtk_dataset_open` reads.
typedef enum cdcmtk_extent {
    CDCMTK_WHOLE_FILE = 0,
    CDCMTK_UP_TO_PIXEL_DATA = 1  ///< Attributes before Pixel Data (7FE0,0010); pixel data are never touched.
} cdcmtk_extent;

/// Opens a DICOM file for reading, with or without preamble and meta header. `NULL` on failure.
/// Values larger than a few kilobytes stay in the file until they are asked for.
cdcmtk_dataset *cdcmtk_dataset_open(const char *path, int32_t extent, cdcmtk_status *status);
void cdcmtk_dataset_close(cdcmtk_dataset *dataset);

/// The attributes of the dataset, and those of its meta header (group 0002; empty when the file has none).
const cdcmtk_item *cdcmtk_dataset_root(const cdcmtk_dataset *dataset);
const cdcmtk_item *cdcmtk_dataset_meta(const cdcmtk_dataset *dataset);
/// The UID of the transfer syntax that the dataset was read in.
const char *cdcmtk_dataset_transfer_syntax(const cdcmtk_dataset *dataset);
/// Bytes in the file.
int64_t cdcmtk_dataset_file_size(const cdcmtk_dataset *dataset);
/// With `CDCMTK_UP_TO_PIXEL_DATA`: where the value of a native little endian Pixel Data element starts in the file and
/// how long it says it is. Returns 0 where there is none such (no pixel data, encapsulated, big endian or deflated).
int32_t cdcmtk_dataset_native_pixels(const cdcmtk_dataset *dataset, int64_t *offset, int64_t *length);
/// With `CDCMTK_UP_TO_PIXEL_DATA`: whether a Pixel Data element follows.
int32_t cdcmtk_dataset_has_pixels(const cdcmtk_dataset *dataset);
/// With `CDCMTK_UP_TO_PIXEL_DATA`: whether the file ends inside encapsulated or big endian pixel data.
int32_t cdcmtk_dataset_pixels_are_cut_off(const cdcmtk_dataset *dataset);

/// Tags are written 0xGGGGEEEE. An attribute with an empty value is there.
int32_t cdcmtk_item_contains(const cdcmtk_item *item, uint32_t tag);

/// The functions below return how many elements the value has (bytes, numbers, items), or −1 with a status. They write
/// no more than `capacity` elements and only when all fit, so a first call with capacity 0 asks for the number.
/// A missing attribute returns −1 with `CDCMTK_MISSING`.

/// The value as UTF-8 (Specific Character Set is honoured), components separated by backslashes, no terminator.
int64_t cdcmtk_item_string(const cdcmtk_item *item, uint32_t tag, char *buffer, int64_t capacity, cdcmtk_status *status);
/// The numbers of a value of any numeric or text VR; an empty or unreadable component is NaN.
int64_t cdcmtk_item_numbers(const cdcmtk_item *item, uint32_t tag, double *buffer, int64_t capacity, cdcmtk_status *status);
/// The bytes of the value, words little endian; encapsulated pixel data are `CDCMTK_NOT_SUPPORTED`.
int64_t cdcmtk_item_bytes(const cdcmtk_item *item, uint32_t tag, uint8_t *buffer, int64_t capacity, cdcmtk_status *status);
/// The items of a sequence, in order.
int64_t cdcmtk_item_items(const cdcmtk_item *item, uint32_t tag, const cdcmtk_item **buffer, int64_t capacity, cdcmtk_status *status);

#ifdef __cplusplus
}
#endif
