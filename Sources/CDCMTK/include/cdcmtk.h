#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How a call ended. Every function of this module reports through one of these and never throws.
typedef enum cdcmtk_code {
    CDCMTK_OK = 0,
    CDCMTK_CANNOT_OPEN = 1,       ///< The file is not there or cannot be read.
    CDCMTK_NOT_DICOM = 2,         ///< The file is not DICOM.
    CDCMTK_MALFORMED = 3,         ///< The file is DICOM, but broken.
    CDCMTK_MISSING = 4,           ///< The attribute is not there.
    CDCMTK_NOT_SUPPORTED = 5,     ///< The file is good, but DCMTK cannot do this with it.
    CDCMTK_BUFFER_TOO_SMALL = 6,  ///< The caller's buffer does not hold the result.
    CDCMTK_CANNOT_WRITE = 7,      ///< The file cannot be written.
    CDCMTK_INTERNAL = 8           ///< DCMTK failed or is installed incompletely.
} cdcmtk_code;

typedef struct cdcmtk_status {
    int32_t code;    ///< A `cdcmtk_code`.
    char text[252];  ///< What happened, in English; empty when `code` is `CDCMTK_OK`.
} cdcmtk_status;

/// The version of the DCMTK library, e.g. "3.6.7".
const char *cdcmtk_version(void);

/// Readies DCMTK once per process: silences its log, registers its decoders and checks its data dictionary.
/// Every other function calls it; calling it again costs nothing. Any thread.
void cdcmtk_initialize(cdcmtk_status *status);

#ifdef __cplusplus
}
#endif
