#pragma once

class DcmDataset;
class DcmPixelData;

namespace cdcmtk {

/// Whether the segments that a run-length encoded frame announces lie within it (PS3.5 G.5); true for other transfer syntaxes.
/// DCMTK 3.6.7 follows an offset beyond the fragment and reads memory that is not its own.
bool runLengthSegmentsLieWithin(DcmDataset &attributes, DcmPixelData &pixels, unsigned frame);

}
