/// UIDs that depend on nothing but the words they are made of, so that the same input gives the same files.
public enum DerivedUID {
    /// A UID under the root 2.25 (ITU-T X.667: a UUID as a decimal number) from `parts`.
    ///
    /// The 128 bits are a mix of the parts' UTF-8 bytes in which version 8 (custom, RFC 9562) and the variant are set. Not cryptographic.
    public static func make(from parts: String...) -> String {
        var high: UInt64 = 0x9E37_79B9_7F4A_7C15, low: UInt64 = 0xD1B5_4A32_D192_ED03
        func absorb(_ byte: UInt64) {
            high = mix(high ^ byte)
            low = mix(low &+ high &+ byte)
        }
        for part in parts {
            for byte in part.utf8 { absorb(UInt64(byte)) }
            absorb(0x100)  // Parts stay apart: ("ab", "c") is not ("a", "bc").
        }
        high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000
        low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return "2.25.\(UInt128(high) << 64 | UInt128(low))"
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
