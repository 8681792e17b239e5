#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcitem.h>

namespace cdcmtk {

/// `text` of an element of `item` in UTF-8, by the Specific Character Set that holds there; where that is missing or wrong, as well as can
/// be told.
OFString utf8(DcmItem *item, const OFString &text);

/// Converts all text of a dataset to UTF-8, and says so in Specific Character Set.
void convertToUTF8(DcmItem &dataset);

}  // namespace cdcmtk
