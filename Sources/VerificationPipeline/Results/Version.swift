/// The version of IceMargin; reports carry it.
public let iceMarginVersion = "0.1.0"
