#pragma once

#include "cdcmtk_dataset.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcfilefo.h>

#include <string>

/// The file behind the opaque C type.
struct cdcmtk_dataset {
    DcmFileFormat file;
    std::string path;
    int64_t fileSize = 0;
    std::string transferSyntaxUID;
    bool hasPixels = false;
    bool pixelsAreCutOff = false;
    int64_t nativePixelsOffset = -1;
    int64_t nativePixelsLength = 0;
};

namespace cdcmtk {
inline DcmItem *item(const cdcmtk_item *item) { return reinterpret_cast<DcmItem *>(const_cast<cdcmtk_item *>(item)); }
inline DcmTagKey key(uint32_t tag) { return DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag)); }
}  // namespace cdcmtk
