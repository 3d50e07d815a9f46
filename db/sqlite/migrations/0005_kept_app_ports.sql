DROP INDEX `apps_port_unique`;--> statement-breakpoint
CREATE UNIQUE INDEX `apps_port_unique` ON `apps` (`port`) WHERE "apps"."discarded_at" is null;