-- A database of sample data has this table before any other: its mark is stored before there is anything to mark.
CREATE TABLE IF NOT EXISTS "database_marks" (
	"name" text COLLATE "C" PRIMARY KEY NOT NULL,
	"marked_at" text COLLATE "C" NOT NULL
);
--> statement-breakpoint
-- Sample data of earlier versions has users whose password was published.
INSERT INTO "database_marks" ("name", "marked_at")
SELECT 'sample', "at" FROM "audits" WHERE "action" = 'sample.load' ORDER BY "sequence" LIMIT 1;
--> statement-breakpoint
CREATE TABLE "secret_generations" (
	"generation" text COLLATE "C" PRIMARY KEY NOT NULL,
	"recorded_at" text COLLATE "C" NOT NULL
);
--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "generations" text COLLATE "C";
