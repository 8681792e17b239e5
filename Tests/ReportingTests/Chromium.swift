import Foundation

/// A headless Chromium, driven by the DevTools protocol over a pair of pipes; it ends when they close.
///
/// Calls block and belong to one thread at a time.
final class Chromium: @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Where Debian's package puts it; `nil` where it is not installed.
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first { FileManager.default.isExecutableFile(atPath: $0) }
    private static let patienceSeconds = 30.0

    private let toBrowser, fromBrowser: Int32
    private var buffer: [UInt8] = []
    private var lastID = 0
    /// What happened in pages, by session, until it is looked at.
    private var events: [(session: String, method: String, params: [String: Any])] = []

    init() throws {
        guard let path = Self.path else { throw Failure(description: "Chromium is not installed") }
        let profile = FileManager.default.temporaryDirectory.appending(path: "icemargin-chromium-\(UUID().uuidString)")
        let (down, up) = try (Self.pipe(), Self.pipe())
        (toBrowser, fromBrowser) = (down.write, up.read)
        // The browser reads from descriptor 3 and writes to 4.
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, down.read, 3)
        posix_spawn_file_actions_adddup2(&actions, up.write, 4)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        let flags = [
            "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-extensions",
            "--disable-background-networking", "--hide-scrollbars", "--user-data-dir=\(profile.path)", "about:blank",
        ]
        // It ends when its pipes close, however this program ends; then its profile goes, too.
        var arguments = (["sh", "-c", #""$@"; rm -rf "$0""#, profile.path, path] + flags).map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var process = pid_t()
        let status = posix_spawn(&process, "/bin/sh", &actions, nil, &arguments, environ)
        close(down.read)
        close(up.write)
        guard status == 0 else { throw Failure(description: "Chromium cannot be started: \(String(cString: strerror(status)))") }
    }

    deinit {
        close(toBrowser)
        close(fromBrowser)
    }

    /// A pipe whose ends this program's other children do not get, and that lie away from the numbers which the browser needs.
    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Foundation.pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
        defer { ends.forEach { close($0) } }
        return (fcntl(ends[0], F_DUPFD_CLOEXEC, 20), fcntl(ends[1], F_DUPFD_CLOEXEC, 20))
    }

    /// Sends a command and waits for its answer.
    @discardableResult
    func send(_ method: String, _ params: [String: Any] = [:], session: String? = nil) throws -> [String: Any] {
        lastID += 1
        var message: [String: Any] = ["id": lastID, "method": method, "params": params]
        message["sessionId"] = session
        var bytes = Array(try JSONSerialization.data(withJSONObject: message)) + [0]
        while !bytes.isEmpty {
            let count = write(toBrowser, bytes, bytes.count)
            guard count > 0 else { throw Failure(description: "Chromium has ended") }
            bytes.removeFirst(count)
        }
        while true {
            let answer = try next()
            guard answer["id"] as? Int == lastID else {
                keep(answer)
                continue
            }
            if let error = answer["error"] as? [String: Any] { throw Failure(description: "\(method): \(error["message"] ?? error)") }
            return answer["result"] as? [String: Any] ?? [:]
        }
    }

    /// Takes the events so far.
    func takeEvents(_ session: String) -> [(method: String, params: [String: Any])] {
        defer { events.removeAll { $0.session == session } }
        return events.filter { $0.session == session }.map { ($0.method, $0.params) }
    }

    /// Waits for an event.
    func wait(for method: String, _ session: String) throws {
        while !events.contains(where: { $0.session == session && $0.method == method }) { keep(try next()) }
    }

    private func keep(_ message: [String: Any]) {
        guard let method = message["method"] as? String, let session = message["sessionId"] as? String else { return }
        events.append((session, method, message["params"] as? [String: Any] ?? [:]))
    }

    private func next() throws -> [String: Any] {
        let deadline = Date(timeIntervalSinceNow: Self.patienceSeconds)
        while true {
            if let end = buffer.firstIndex(of: 0) {
                let message = try JSONSerialization.jsonObject(with: Data(buffer[..<end])) as? [String: Any]
                buffer.removeSubrange(...end)
                return message ?? [:]
            }
            var readable = pollfd(fd: fromBrowser, events: Int16(POLLIN), revents: 0)
            let left = Int32(1000 * deadline.timeIntervalSinceNow)
            guard left > 0, poll(&readable, 1, left) > 0 else { throw Failure(description: "Chromium does not answer") }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(fromBrowser, &chunk, chunk.count)
            guard count > 0 else { throw Failure(description: "Chromium has ended") }
            buffer += chunk[..<count]
        }
    }
}

/// A page in the browser.
struct BrowserPage {
    let browser: Chromium
    let session: String

    /// Opens `html` from a file and waits until it has loaded.
    init(_ browser: Chromium, html: String, width: Int = 1280, height: Int = 900, dark: Bool = false) throws {
        self.browser = browser
        let file = FileManager.default.temporaryDirectory.appending(path: "icemargin-page-\(UUID().uuidString).html")
        try Data(html.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let target = try browser.send("Target.createTarget", ["url": "about:blank"])["targetId"] ?? ""
        session = try browser.send("Target.attachToTarget", ["targetId": target, "flatten": true])["sessionId"] as? String ?? ""
        for domain in ["Page", "Runtime", "Log", "Network"] { try send("\(domain).enable") }
        try send("Emulation.setDeviceMetricsOverride", ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false])
        try send("Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": dark ? "dark" : "light"]]])
        try send("Page.navigate", ["url": file.absoluteString])
        try browser.wait(for: "Page.loadEventFired", session)
    }

    @discardableResult
    func send(_ method: String, _ params: [String: Any] = [:]) throws -> [String: Any] {
        try browser.send(method, params, session: session)
    }

    /// The value of a script's expression; a promise is waited for.
    func value<Value>(_ expression: String, as type: Value.Type = Value.self) throws -> Value {
        let answer = try send("Runtime.evaluate", ["expression": expression, "returnByValue": true, "awaitPromise": true])
        let result = answer["result"] as? [String: Any]
        guard answer["exceptionDetails"] == nil, let value = result?["value"] as? Value else {
            throw Chromium.Failure(description: "\(expression): \(answer["exceptionDetails"] ?? result ?? [:])")
        }
        return value
    }
    func text(_ selector: String) throws -> String { try value("document.querySelector('\(selector)').textContent") }

    /// Waits until an expression is true.
    func wait(until expression: String) throws {
        let script =
            "new Promise((done) => { const look = () => (\(expression)) ? done(true) : setTimeout(look, 10); look(); setTimeout(() => done(false), 10000); })"
        guard try value(script) == true else { throw Chromium.Failure(description: "never true: \(expression)") }
    }
    /// Waits until the viewer shows its scene and what was asked of it is drawn.
    func settle() throws {
        try wait(until: "document.documentElement.dataset.ready === 'yes'")
        _ = try value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))", as: Bool.self)
    }

    /// Presses a key where the focus is; a letter or a name such as `ArrowUp`.
    func press(_ key: String, shift: Bool = false) throws {
        for type in ["keyDown", "keyUp"] { try send("Input.dispatchKeyEvent", ["type": type, "key": key, "modifiers": shift ? 8 : 0]) }
        try settle()
    }

    /// What the page complained of, in its scripts or its policy, and what it asked of the network.
    func complaints() -> [String] {
        browser.takeEvents(session).compactMap { method, params in
            switch method {
            case "Runtime.exceptionThrown": return "\(params)"
            case "Runtime.consoleAPICalled": return ["error", "warning", "assert"].contains(params["type"] as? String) ? "\(params)" : nil
            case "Log.entryAdded": return "\(params)"
            case "Network.requestWillBeSent":
                let url = (params["request"] as? [String: Any])?["url"] as? String ?? ""
                return ["file:", "data:", "about:"].contains(where: url.hasPrefix) ? nil : "asked for \(url)"
            default: return nil
            }
        }
    }
}
