#include "Text.hpp"

#include <dcmtk/dcmdata/dcbytstr.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dcstack.h>

#include <iconv.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

bool isASCII(const std::string_view text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) >= 0x80 || c == '\x1B') return false;
    return true;
}

bool isUTF8(const std::string_view text) {
    for (size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const size_t more = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : 4;
        if (more == 4 || at + more >= text.size()) return false;
        for (size_t next = 1; next <= more; ++next)
            if (static_cast<unsigned char>(text[at + next]) >> 6 != 2) return false;
        at += more + 1;
    }
    return true;
}

/// The Specific Character Set that holds for an item: its own, or that of the item around it.
OFString characterSet(DcmItem *item) {
    for (DcmObject *object = item; object; object = object->getParent()) {
        auto *const container = dynamic_cast<DcmItem *>(object);
        OFString name;
        if (container && container->findAndGetOFStringArray(DCM_SpecificCharacterSet, name).good()) return name;
    }
    return "";
}

bool convert(const char *encoding, std::string source, OFString &converted) {
    const iconv_t converter = iconv_open("UTF-8", encoding);
    if (converter == reinterpret_cast<iconv_t>(-1)) return false;
    std::string target(4 * source.size(), '\0');
    char *from = source.data(), *to = target.data();
    size_t left = source.size(), room = target.size();
    const bool isDone = iconv(converter, &from, &left, &to, &room) != static_cast<size_t>(-1);
    iconv_close(converter);
    if (isDone) converted.assign(target.data(), target.size() - room);
    return isDone;
}

/// Text with escape sequences to East Asian sets, which DCMTK does not convert where it is built on the C library's iconv.
bool fromISO2022(const std::string_view text, OFString &converted) {
    // Korean and Chinese stand in the upper half (ISO IR 149 and 58): without the escapes they are the EUC encodings.
    const std::pair<std::string_view, const char *> upperHalves[] = {{"\x1B$)C", "EUC-KR"}, {"\x1B$)A", "EUC-CN"}};
    for (const auto &[escape, encoding] : upperHalves) {
        std::string plain(text);
        size_t at = plain.find(escape);
        if (at == plain.npos) continue;
        for (; at != plain.npos; at = plain.find(escape, at)) plain.erase(at, escape.size());
        return convert(encoding, plain, converted);
    }
    // JIS X 0208 and 0212 (ISO IR 87 and 159).
    return convert("ISO-2022-JP-2", std::string(text), converted) || convert("ISO-2022-JP-3", std::string(text), converted);
}

}  // namespace

OFString cdcmtk::utf8(DcmItem *item, const OFString &text) {
    const std::string_view view(text.c_str(), text.size());
    if (isASCII(view)) return text;
    DcmSpecificCharacterSet converter;
    OFString converted;
    if (converter.selectCharacterSet(characterSet(item)).good() && converter.convertString(text, converted, "\\^=").good()) return converted;
    if (view.find('\x1B') != view.npos && fromISO2022(view, converted)) return converted;
    if (isUTF8(view)) return text;
    // Files that name no character set, or a wrong one, are mostly Latin-1.
    if (converter.selectCharacterSet("ISO_IR 100").good() && converter.convertString(text, converted, "\\^=").good()) return converted;
    converted.clear();
    for (const char c : view) converted += static_cast<unsigned char>(c) >= 0x80 ? '?' : c;
    return converted;
}

void cdcmtk::convertToUTF8(DcmItem &item) {
    std::vector<std::pair<DcmByteString *, OFString>> texts;
    DcmStack stack;
    while (item.nextObject(stack, OFTrue).good()) {
        auto *const element = dynamic_cast<DcmByteString *>(stack.top());
        OFString text;
        if (!element || !element->isAffectedBySpecificCharacterSet() || element->getOFStringArray(text, OFFalse).bad()) continue;
        texts.emplace_back(element, utf8(dynamic_cast<DcmItem *>(stack.elem(1)), text));
    }
    for (auto &[element, text] : texts) element->putOFStringArray(text);
    item.putAndInsertString(DCM_SpecificCharacterSet, "ISO_IR 192");
}
