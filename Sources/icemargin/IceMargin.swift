import ArgumentParser

@main
struct IceMargin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "icemargin",
        abstract: "Does the iceball cover the tumour with the margin it needs, and how sure is that?")
}
