CREATE TABLE `grants` (
	`app_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`permit` integer NOT NULL,
	PRIMARY KEY(`app_id`, `user_id`, `permit`),
	FOREIGN KEY (`app_id`) REFERENCES `apps`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "grants_permit" CHECK("grants"."permit" in (1, 2, 4, 8, 16, 32))
);
--> statement-breakpoint
CREATE INDEX `grants_user` ON `grants` (`user_id`,`app_id`,`permit`);--> statement-breakpoint
CREATE TABLE `memberships` (
	`organization_id` integer NOT NULL,
	`user_id` integer NOT NULL,
	`role` text NOT NULL,
	PRIMARY KEY(`organization_id`, `user_id`),
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `memberships_user` ON `memberships` (`user_id`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`digest` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`user_id` integer NOT NULL,
	`client` text NOT NULL,
	`created_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`address` text NOT NULL,
	`agent` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_id_unique` ON `sessions` (`id`);--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`user_id`);--> statement-breakpoint
CREATE TABLE `user_places` (
	`user_id` integer NOT NULL,
	`place` text NOT NULL,
	`last_at` text NOT NULL,
	PRIMARY KEY(`user_id`, `place`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
ALTER TABLE `users` ADD `password_hash` text;--> statement-breakpoint
ALTER TABLE `users` ADD `role` text DEFAULT 'member' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `color_theme` text;--> statement-breakpoint
ALTER TABLE `users` ADD `account_locked` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `apps_user` ON `apps` (`user_id`);--> statement-breakpoint
CREATE INDEX `apps_organization` ON `apps` (`organization_id`);--> statement-breakpoint
CREATE INDEX `apps_public` ON `apps` (`readable_by`) WHERE "apps"."readable_by" is not null;