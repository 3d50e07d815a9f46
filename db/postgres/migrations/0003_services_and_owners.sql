CREATE TABLE "services" (
	"name" text COLLATE "C" PRIMARY KEY NOT NULL,
	"description" text COLLATE "C",
	"audience" text COLLATE "C",
	"scopes" text COLLATE "C" NOT NULL,
	"created_at" text COLLATE "C" NOT NULL,
	"updated_at" text COLLATE "C" NOT NULL
);
--> statement-breakpoint
ALTER TABLE "client_keys" ADD COLUMN "owner" text COLLATE "C";--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "applies_bulk_changes" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "client_keys_owner" ON "client_keys" USING btree ("owner","id") WHERE "client_keys"."owner" is not null;