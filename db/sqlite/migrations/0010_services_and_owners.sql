CREATE TABLE `services` (
	`name` text PRIMARY KEY NOT NULL,
	`description` text,
	`audience` text,
	`scopes` text NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	CONSTRAINT "services_json" CHECK(json_valid("services"."scopes"))
);
--> statement-breakpoint
ALTER TABLE `client_keys` ADD `owner` text;--> statement-breakpoint
CREATE INDEX `client_keys_owner` ON `client_keys` (`owner`,`id`) WHERE "client_keys"."owner" is not null;