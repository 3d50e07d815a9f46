CREATE TABLE `apps` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`descriptive_name` text NOT NULL,
	`port` integer NOT NULL,
	`readable_by` text,
	`user_id` integer,
	`organization_id` integer,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	`discarded_at` text,
	`schedule` text,
	`panels` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE restrict,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE restrict,
	CONSTRAINT "apps_one_owner" CHECK(("apps"."user_id" is null) <> ("apps"."organization_id" is null)),
	CONSTRAINT "apps_panels_json" CHECK("apps"."panels" is null or json_valid("apps"."panels")),
	CONSTRAINT "apps_schedule_json" CHECK("apps"."schedule" is null or json_valid("apps"."schedule"))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `apps_name_unique` ON `apps` (`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `apps_port_unique` ON `apps` (`port`);--> statement-breakpoint
CREATE UNIQUE INDEX `apps_user_descriptive_name_unique` ON `apps` (`user_id`,`descriptive_name`) WHERE "apps"."discarded_at" is null and "apps"."user_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `apps_organization_descriptive_name_unique` ON `apps` (`organization_id`,`descriptive_name`) WHERE "apps"."discarded_at" is null and "apps"."organization_id" is not null;--> statement-breakpoint
CREATE INDEX `apps_listing` ON `apps` (`descriptive_name`,`id`);--> statement-breakpoint
CREATE TABLE `organizations` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`billing_email` text NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tags` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`app_id` integer NOT NULL,
	`context` text NOT NULL,
	`name` text NOT NULL,
	FOREIGN KEY (`app_id`) REFERENCES `apps`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tags_app_context_name_unique` ON `tags` (`app_id`,`context`,`name`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`email` text NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_unique` ON `users` (lower("email"));