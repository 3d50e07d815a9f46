CREATE TABLE "secret_generations" (
	"generation" text COLLATE "C" PRIMARY KEY NOT NULL,
	"recorded_at" text COLLATE "C" NOT NULL
);
--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "generations" text COLLATE "C";