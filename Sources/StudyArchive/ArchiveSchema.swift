import GRDB

/// The tables of the archive, as the steps that made them. A step that was released is never changed; a new one is added.
enum ArchiveSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 studies, runs, metrics") { db in
            try db.create(table: "study") { table in
                table.primaryKey("key", .text)
                table.column("source", .text).notNull()
                table.column("site", .text)
                table.column("columns", .jsonText).notNull()
            }
            try db.create(table: "run") { table in
                table.primaryKey("id", .text)
                table.column("study", .text).notNull().references("study", onDelete: .cascade).indexed()
                table.column("state", .text).notNull()
                table.column("verdict", .text)
                table.column("failureCode", .text)
                table.column("due", .text).notNull()
                table.column("version", .text).notNull()
                table.column("profile", .text)
                table.column("started", .text).notNull()
                table.column("finished", .text).notNull()
                table.column("seconds", .double).notNull()
                table.column("peakMemoryMB", .double)
                table.column("registrationMethod", .text)
                table.column("registrationTrusted", .boolean)
                table.column("registrationErrorMM", .double)
                table.column("iceVolumeML", .double)
                table.column("probeCount", .integer)
                table.column("decidingZone", .text)
                table.column("requiredMarginMM", .double)
                table.column("record", .jsonText).notNull()
            }
            try db.create(table: "margin") { table in
                table.column("run", .text).notNull().references("run", onDelete: .cascade).indexed()
                table.column("tumour", .text).notNull()
                table.column("zone", .text).notNull()
                table.column("zoneSource", .text)
                table.column("minimumMarginMM", .double)
                table.column("lowMM", .double)
                table.column("highMM", .double)
                table.column("probabilityMet", .double)
                table.column("tumourCoverage", .double)
                table.column("residualVolumeML", .double)
                table.column("tumourVolumeML", .double)
                table.column("tumourDiameterMM", .double)
            }
            try db.create(table: "structure") { table in
                table.column("run", .text).notNull().references("run", onDelete: .cascade).indexed()
                table.column("name", .text).notNull()
                table.column("zone", .text).notNull()
                table.column("minimumDistanceMM", .double)
                table.column("lowMM", .double)
                table.column("highMM", .double)
                table.column("overlapVolumeML", .double)
                table.column("limitMM", .double)
                table.column("status", .text)
            }
            try db.create(table: "finding") { table in
                table.column("run", .text).notNull().references("run", onDelete: .cascade).indexed()
                table.column("severity", .text).notNull()
                table.column("code", .text).notNull()
                table.column("message", .text).notNull()
                table.column("remedy", .text).notNull()
            }
            try db.create(table: "timing") { table in
                table.column("run", .text).notNull().references("run", onDelete: .cascade).indexed()
                table.column("stage", .text).notNull()
                table.column("seconds", .double).notNull()
            }
        }
        migrator.registerMigration("2 header index") { db in
            try db.create(table: "indexedSeries") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("root", .text).notNull()
                table.column("seriesInstanceUID", .text).notNull()
                table.column("studyInstanceUID", .text).notNull()
                table.column("frameOfReferenceUID", .text)
                table.column("sopClassUID", .text).notNull()
                table.column("modality", .text).notNull()
                table.column("seriesDescription", .text).notNull()
                table.column("studyDescription", .text).notNull()
                table.column("bodyPart", .text).notNull()
                table.column("date", .text).notNull()
                table.column("time", .text).notNull()
                table.column("patient", .text).notNull()
                table.column("frameCount", .integer).notNull()
            }
            try db.create(table: "indexedFile", options: .withoutRowID) { table in
                table.primaryKey("path", .text)
                table.column("root", .text).notNull()
                table.column("size", .integer).notNull()
                table.column("modifiedNS", .integer).notNull()
                // Null for a file that is not DICOM.
                table.column("series", .integer).references("indexedSeries").indexed()
            }
        }
        migrator.registerMigration("3 dates are moved") { db in
            // They are read again, and kept otherwise.
            try db.execute(sql: "DELETE FROM indexedFile; DELETE FROM indexedSeries")
        }
        return migrator
    }
}
