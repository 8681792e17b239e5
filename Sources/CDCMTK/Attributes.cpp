#include "Dataset.hpp"
#include "Status.hpp"
#include "Text.hpp"

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcsequen.h>
#include <dcmtk/dcmdata/dcvrat.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

namespace {

DcmElement *find(const cdcmtk_item *item, uint32_t tag, cdcmtk_status *status) {
    DcmElement *element = nullptr;
    if (cdcmtk::item(item)->findAndGetElement(cdcmtk::key(tag), element).bad() || !element) {
        cdcmtk::set(status, CDCMTK_MISSING, "the attribute is missing");
        return nullptr;
    }
    return element;
}

/// The byte count that an element announces; −1 with a status when that cannot be, so that nothing is allocated by it.
int64_t byteCount(DcmElement &element, cdcmtk_status *status) {
    const Uint32 length = element.getLengthField();
    if (length == DCM_UndefinedLength) {
        cdcmtk::set(status, CDCMTK_NOT_SUPPORTED, "the value is encapsulated");
        return -1;
    }
    // A value that is still in the file: fetch its last byte before anyone makes room for all of it.
    unsigned char last[2];
    if (length >= 2 && !element.valueLoaded() && element.getPartialValue(last, length - 2, 2, nullptr, EBO_LittleEndian).bad()) {
        cdcmtk::set(status, CDCMTK_MALFORMED, "the file ends inside the value");
        return -1;
    }
    return length;
}

double number(std::string_view text) {
    const char *const blanks = " \t\r\n\0";
    while (!text.empty() && std::strchr(blanks, text.front())) text.remove_prefix(1);
    while (!text.empty() && std::strchr(blanks, text.back())) text.remove_suffix(1);
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : std::numeric_limits<double>::quiet_NaN();
}

int64_t numbersOfText(std::string_view text, double *buffer, int64_t capacity) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    if (text.empty()) return 0;
    int64_t count = 1;
    for (const char c : text) count += c == '\\';
    if (count > capacity) return count;
    for (int64_t index = 0; index < count; ++index) {
        const size_t end = text.find('\\');
        buffer[index] = number(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return count;
}

template <typename Value>
int64_t numbersOfArray(DcmElement &element, OFCondition (DcmElement::*get)(Value *&), double *buffer, int64_t capacity, cdcmtk_status *status) {
    const int64_t bytes = byteCount(element, status);
    if (bytes < 0) return -1;
    const int64_t count = bytes / static_cast<int64_t>(sizeof(Value));
    if (count > capacity || count == 0) return count;
    Value *values = nullptr;
    const OFCondition result = (element.*get)(values);
    if (result.bad() || !values) {
        cdcmtk::set(status, CDCMTK_MALFORMED, result.text());
        return -1;
    }
    for (int64_t index = 0; index < count; ++index) buffer[index] = static_cast<double>(values[index]);
    return count;
}

int64_t numbersOfElement(DcmElement &element, double *buffer, int64_t capacity, cdcmtk_status *status) {
    switch (element.ident()) {
    case EVR_US: case EVR_xs: return numbersOfArray<Uint16>(element, &DcmElement::getUint16Array, buffer, capacity, status);
    case EVR_SS: return numbersOfArray<Sint16>(element, &DcmElement::getSint16Array, buffer, capacity, status);
    case EVR_UL: case EVR_up: case EVR_OL: return numbersOfArray<Uint32>(element, &DcmElement::getUint32Array, buffer, capacity, status);
    case EVR_SL: return numbersOfArray<Sint32>(element, &DcmElement::getSint32Array, buffer, capacity, status);
    case EVR_SV: return numbersOfArray<Sint64>(element, &DcmElement::getSint64Array, buffer, capacity, status);
    case EVR_UV: case EVR_OV: return numbersOfArray<Uint64>(element, &DcmElement::getUint64Array, buffer, capacity, status);
    case EVR_FL: case EVR_OF: return numbersOfArray<Float32>(element, &DcmElement::getFloat32Array, buffer, capacity, status);
    case EVR_FD: case EVR_OD: return numbersOfArray<Float64>(element, &DcmElement::getFloat64Array, buffer, capacity, status);
    case EVR_AT: return numbersOfArray<Uint16>(element, &DcmElement::getUint16Array, buffer, capacity, status);
    case EVR_OW: case EVR_lt: return numbersOfArray<Uint16>(element, &DcmElement::getUint16Array, buffer, capacity, status);
    case EVR_SQ: cdcmtk::set(status, CDCMTK_NOT_SUPPORTED, "the attribute is a sequence"); return -1;
    default: break;
    }
    if (byteCount(element, status) < 0) return -1;
    OFString text;
    const OFCondition result = element.getOFStringArray(text, OFFalse);
    if (result.bad()) {
        cdcmtk::set(status, CDCMTK_MALFORMED, result.text());
        return -1;
    }
    return numbersOfText({text.c_str(), text.size()}, buffer, capacity);
}

}  // namespace

int32_t cdcmtk_item_contains(const cdcmtk_item *item, uint32_t tag) {
    return cdcmtk::guarded(nullptr, 0, [&] { return cdcmtk::item(item)->tagExists(cdcmtk::key(tag)) ? 1 : 0; });
}

int64_t cdcmtk_item_string(const cdcmtk_item *item, uint32_t tag, char *buffer, int64_t capacity, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int64_t{-1}, [&]() -> int64_t {
        DcmElement *const element = find(item, tag, status);
        if (!element || byteCount(*element, status) < 0) return -1;
        OFString text;
        const OFCondition result = element->getOFStringArray(text, OFFalse);
        if (result.bad()) {
            cdcmtk::set(status, CDCMTK_MALFORMED, result.text());
            return -1;
        }
        text = cdcmtk::utf8(cdcmtk::item(item), text);
        const auto count = static_cast<int64_t>(text.size());
        if (count <= capacity) std::memcpy(buffer, text.data(), text.size());
        return count;
    });
}

int64_t cdcmtk_item_numbers(const cdcmtk_item *item, uint32_t tag, double *buffer, int64_t capacity, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int64_t{-1}, [&]() -> int64_t {
        DcmElement *const element = find(item, tag, status);
        return element ? numbersOfElement(*element, buffer, capacity, status) : -1;
    });
}

int64_t cdcmtk_item_bytes(const cdcmtk_item *item, uint32_t tag, uint8_t *buffer, int64_t capacity, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int64_t{-1}, [&]() -> int64_t {
        DcmElement *const element = find(item, tag, status);
        if (!element) return -1;
        const int64_t count = byteCount(*element, status);
        if (count < 0 || count > capacity || count == 0) return count;
        const OFCondition result = element->getPartialValue(buffer, 0, static_cast<Uint32>(count), nullptr, EBO_LittleEndian);
        if (result.bad()) {
            cdcmtk::set(status, CDCMTK_MALFORMED, result.text());
            return -1;
        }
        return count;
    });
}

int64_t cdcmtk_item_items(const cdcmtk_item *item, uint32_t tag, const cdcmtk_item **buffer, int64_t capacity, cdcmtk_status *status) {
    return cdcmtk::guarded(status, int64_t{-1}, [&]() -> int64_t {
        DcmElement *const element = find(item, tag, status);
        if (!element) return -1;
        auto *const sequence = dynamic_cast<DcmSequenceOfItems *>(element);
        if (!sequence) {
            cdcmtk::set(status, CDCMTK_MALFORMED, "the attribute is not a sequence");
            return -1;
        }
        const auto count = static_cast<int64_t>(sequence->card());
        if (count > capacity) return count;
        int64_t index = 0;
        for (DcmObject *object = nullptr; (object = sequence->nextInContainer(object)) && index < count; ++index)
            buffer[index] = reinterpret_cast<const cdcmtk_item *>(static_cast<DcmItem *>(object));
        return index;
    });
}
