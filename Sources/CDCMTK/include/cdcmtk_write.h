#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One data element of an object to be written. `value` is text (UTF-8, several values parted by a backslash).
typedef struct cdcmtk_text_element {
    uint16_t group;
    uint16_t element;
    const char *value;
} cdcmtk_text_element;

/// Writes one single-frame monochrome image with 16 bits allocated as a DICOM file.
///
/// `elements` are all data elements but Rows, Columns and Pixel Data; Bits Stored, High Bit and Pixel Representation among
/// them must fit `pixels` (`rows` × `columns` values, row by row). `transfer_syntax` is the UID of Implicit VR, Explicit VR
/// little endian, RLE, JPEG lossless (process 14 SV1), or JPEG-LS lossless. An existing file is replaced.
///
/// Returns 0, or another number with a reason in `message` (`capacity` bytes, ended by NUL). May be called from several threads.
int cdcmtk_write_image(
    const char *path, const cdcmtk_text_element *elements, size_t element_count, const uint16_t *pixels, uint16_t rows,
    uint16_t columns, const char *transfer_syntax, char *message, size_t capacity);

#ifdef __cplusplus
}
#endif
