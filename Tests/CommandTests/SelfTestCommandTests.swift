import Foundation
import Testing

@Suite struct SelfTestCommandTests {
    @Test func everyRowPassesAndSaysWhatItRestsOn() throws {
        let run = try CommandRunner.run("selftest", "--json")
        #expect(run.status == 0, "\(run.errors)")
        let document = try run.json()
        #expect(document["schema"] as? String == "icemargin.selftest/1" && document["pass"] as? Bool == true)
        let rows = try #require(document["rows"] as? [[String: Any]])
        // A ball of 11 mm, 3 mm off the centre of one of 18 mm: 18 − 3 − 11.
        let margins = rows.filter {
            ($0["shape"] as! String).hasPrefix("ball 11 mm in ball 18 mm") && $0["quantity"] as? String == "minimumMarginMM"
        }
        #expect(margins.count == 6)
        for row in margins {
            let (measured, tolerance) = (row["measured"] as! Double, row["tolerance"] as! Double), interval = row["interval"] as! [Double]
            #expect(row["truth"] as! Double == 4 && abs(measured - 4) <= tolerance && interval[0] < 4 && 4 < interval[1])
        }
        #expect(Set(rows.map { $0["representation"] as! String }) == ["mask", "level-set"])
    }
}
