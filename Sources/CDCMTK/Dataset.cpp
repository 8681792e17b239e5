#include "Dataset.hpp"
#include "Nesting.hpp"
#include "Status.hpp"

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcistrmf.h>
#include <dcmtk/dcmdata/dcmetinf.h>
#include <dcmtk/dcmdata/dcxfer.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace {

/// Values longer than this stay in the file until they are asked for.
constexpr Uint32 largestEagerValue = 16 * 1024;
/// So much of a file is looked through for runaway nesting where only its header is read.
constexpr size_t probedHeader = 64 * 1024;
/// … and so much where all of it is.
constexpr size_t probedFile = 64 * 1024 * 1024;

struct FileDescriptor {
    int number;
    explicit FileDescriptor(const char *path) : number(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~FileDescriptor() { if (number >= 0) close(number); }
    FileDescriptor(const FileDescriptor &) = delete;
    FileDescriptor &operator=(const FileDescriptor &) = delete;
};

uint16_t little16(const unsigned char *bytes) { return static_cast<uint16_t>(bytes[0] | bytes[1] << 8); }
uint32_t little32(const unsigned char *bytes) { return little16(bytes) | static_cast<uint32_t>(little16(bytes + 2)) << 16; }

/// Whether a file that has no "DICM" mark starts as a dataset would: group 0002 or 0008, a low element number, and a
/// known VR or a credible length. DCMTK itself would read anything.
bool startsAsDataset(const unsigned char *bytes, size_t count, int64_t fileSize) {
    if (count < 8) return false;
    for (const bool bigEndian : {false, true}) {
        const uint16_t group = bigEndian ? static_cast<uint16_t>(bytes[0] << 8 | bytes[1]) : little16(bytes);
        const uint16_t element = bigEndian ? static_cast<uint16_t>(bytes[2] << 8 | bytes[3]) : little16(bytes + 2);
        if ((group != 0x0002 && group != 0x0008) || element > 0x2000) continue;
        static const char *const representations[] = {"UL", "CS", "UI", "DA", "TM", "OB", "SH", "AE", "LO", "DT", "SQ", "US"};
        for (const char *representation : representations)
            if (std::memcmp(bytes + 4, representation, 2) == 0) return true;
        if (!bigEndian && little32(bytes + 4) < fileSize && little32(bytes + 4) <= 64 * 1024) return true;
    }
    return false;
}

bool nestsTooDeep(const FileDescriptor &file, int64_t fileSize, size_t limit) {
    std::vector<unsigned char> bytes(std::min(static_cast<size_t>(fileSize), limit));
    const ssize_t count = pread(file.number, bytes.data(), bytes.size(), 0);
    return count > 0 && cdcmtk::nestsTooDeep(bytes.data(), static_cast<size_t>(count));
}

/// Reads size and first bytes; sets the status and returns false where this cannot be a DICOM file.
bool looksLikeDICOM(cdcmtk_dataset &dataset, const FileDescriptor &file, cdcmtk_status *status) {
    struct stat info;
    if (file.number < 0 || fstat(file.number, &info) != 0) {
        cdcmtk::set(status, CDCMTK_CANNOT_OPEN, std::strerror(errno));
        return false;
    }
    if (!S_ISREG(info.st_mode)) {
        cdcmtk::set(status, CDCMTK_NOT_DICOM, "not a regular file");
        return false;
    }
    dataset.fileSize = info.st_size;
    unsigned char start[132];
    const ssize_t count = pread(file.number, start, sizeof start, 0);
    if (count <= 0) {
        cdcmtk::set(status, CDCMTK_NOT_DICOM, "the file is empty");
        return false;
    }
    if (count == sizeof start && std::memcmp(start + 128, "DICM", 4) == 0) return true;
    if (startsAsDataset(start, static_cast<size_t>(count), dataset.fileSize)) return true;
    cdcmtk::set(status, CDCMTK_NOT_DICOM, "not a DICOM file");
    return false;
}

/// Whether every fragment of encapsulated pixel data that start at `position` lies in the file.
bool hasAllFragments(const FileDescriptor &file, int64_t fileSize, int64_t position) {
    for (;;) {
        unsigned char header[8];
        if (pread(file.number, header, sizeof header, position) != sizeof header) return false;
        static const unsigned char itemTag[] = {0xFE, 0xFF, 0x00, 0xE0};
        // Whatever ends the sequence, what came before it is complete.
        if (std::memcmp(header, itemTag, sizeof itemTag) != 0) return true;
        position += 8 + int64_t{little32(header + 4)};
        if (position > fileSize) return false;
        if (position == fileSize) return true;
    }
}

/// Looks at the Pixel Data element that parsing stopped at: `position` is where its value starts.
void locatePixels(cdcmtk_dataset &dataset, const FileDescriptor &file, const DcmXfer &syntax, int64_t position) {
    const int64_t headerLength = syntax.isImplicitVR() ? 8 : 12;
    unsigned char header[12];
    if (position < headerLength || pread(file.number, header, headerLength, position - headerLength) != headerLength) return;
    const bool bigEndian = syntax.getByteOrder() == EBO_BigEndian;
    static const unsigned char littleTag[] = {0xE0, 0x7F, 0x10, 0x00}, bigTag[] = {0x7F, 0xE0, 0x00, 0x10};
    if (std::memcmp(header, bigEndian ? bigTag : littleTag, 4) != 0) return;
    dataset.hasPixels = true;
    const uint32_t length = little32(header + headerLength - 4);
    if (syntax.isEncapsulated()) {
        dataset.pixelsAreCutOff = !hasAllFragments(file, dataset.fileSize, position);
        return;
    }
    if (bigEndian) {
        const uint32_t bigLength = __builtin_bswap32(length);
        dataset.pixelsAreCutOff = position + int64_t{bigLength} > dataset.fileSize;
        return;
    }
    if (length == 0xFFFFFFFF) return;
    dataset.nativePixelsOffset = position;
    dataset.nativePixelsLength = length;
}

OFCondition readUpToPixels(cdcmtk_dataset &dataset, const FileDescriptor &file) {
    DcmInputFileStream stream(OFFilename(dataset.path.c_str()), 0);
    if (stream.status().bad()) return stream.status();
    dataset.file.transferInit();
    const OFCondition result = dataset.file.readUntilTag(stream, EXS_Unknown, EGL_noChange, largestEagerValue, DCM_PixelData);
    dataset.file.transferEnd();
    const E_TransferSyntax id = dataset.file.getDataset()->getOriginalXfer();
    if (id == EXS_Unknown) return result;
    const DcmXfer syntax(id);
    // The position in a deflated stream says nothing about the file.
    if (syntax.getStreamCompression() == ESC_none) locatePixels(dataset, file, syntax, stream.tell());
    else dataset.hasPixels = true;
    return result;
}

}  // namespace

cdcmtk_dataset *cdcmtk_dataset_open(const char *path, int32_t extent, cdcmtk_status *status) {
    return cdcmtk::guarded(status, static_cast<cdcmtk_dataset *>(nullptr), [&]() -> cdcmtk_dataset * {
        cdcmtk_initialize(status);
        if (status->code != CDCMTK_OK) return nullptr;
        auto dataset = std::make_unique<cdcmtk_dataset>();
        dataset->path = path;
        const FileDescriptor file(path);
        if (!looksLikeDICOM(*dataset, file, status)) return nullptr;
        if (nestsTooDeep(file, dataset->fileSize, extent == CDCMTK_UP_TO_PIXEL_DATA ? probedHeader : probedFile)) {
            cdcmtk::set(status, CDCMTK_MALFORMED, "sequences nest too deep");
            return nullptr;
        }
        const OFCondition result = extent == CDCMTK_UP_TO_PIXEL_DATA
            ? readUpToPixels(*dataset, file)
            : dataset->file.loadFile(OFFilename(path), EXS_Unknown, EGL_noChange, largestEagerValue, ERM_autoDetect);
        if (result.bad()) {
            cdcmtk::set(status, CDCMTK_MALFORMED, result.text());
            return nullptr;
        }
        if (dataset->file.getDataset()->isEmpty()) {
            cdcmtk::set(status, CDCMTK_MALFORMED, "the file holds no attributes");
            return nullptr;
        }
        dataset->transferSyntaxUID = DcmXfer(dataset->file.getDataset()->getOriginalXfer()).getXferID();
        return dataset.release();
    });
}

void cdcmtk_dataset_close(cdcmtk_dataset *dataset) {
    cdcmtk::guarded(nullptr, 0, [&] {
        delete dataset;
        return 0;
    });
}

const cdcmtk_item *cdcmtk_dataset_root(const cdcmtk_dataset *dataset) {
    return reinterpret_cast<const cdcmtk_item *>(static_cast<DcmItem *>(const_cast<cdcmtk_dataset *>(dataset)->file.getDataset()));
}

const cdcmtk_item *cdcmtk_dataset_meta(const cdcmtk_dataset *dataset) {
    return reinterpret_cast<const cdcmtk_item *>(static_cast<DcmItem *>(const_cast<cdcmtk_dataset *>(dataset)->file.getMetaInfo()));
}

const char *cdcmtk_dataset_transfer_syntax(const cdcmtk_dataset *dataset) { return dataset->transferSyntaxUID.c_str(); }

int64_t cdcmtk_dataset_file_size(const cdcmtk_dataset *dataset) { return dataset->fileSize; }

int32_t cdcmtk_dataset_has_pixels(const cdcmtk_dataset *dataset) { return dataset->hasPixels; }

int32_t cdcmtk_dataset_pixels_are_cut_off(const cdcmtk_dataset *dataset) { return dataset->pixelsAreCutOff; }

int32_t cdcmtk_dataset_native_pixels(const cdcmtk_dataset *dataset, int64_t *offset, int64_t *length) {
    *offset = dataset->nativePixelsOffset;
    *length = dataset->nativePixelsLength;
    return dataset->nativePixelsOffset >= 0;
}
