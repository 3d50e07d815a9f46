CREATE TABLE `audits` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` text NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_id` text NOT NULL,
	`actor_name` text NOT NULL,
	`action` text NOT NULL,
	`subject_type` text NOT NULL,
	`subject_id` text NOT NULL,
	`changes` text NOT NULL,
	`address` text,
	`request_id` text,
	`previous_hash` text NOT NULL,
	`hash` text NOT NULL,
	CONSTRAINT "audits_changes_json" CHECK(json_valid("audits"."changes"))
);
--> statement-breakpoint
CREATE INDEX `audits_subject` ON `audits` (`subject_type`,`subject_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `audits_actor` ON `audits` (`actor_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `audits_action` ON `audits` (`action`,`sequence`);--> statement-breakpoint
CREATE INDEX `audits_at` ON `audits` (`at`);--> statement-breakpoint
CREATE TABLE `client_key_attempts` (
	`caller` text NOT NULL,
	`key_hash` text NOT NULL,
	`request_hash` text NOT NULL,
	`client_key` integer NOT NULL,
	`token_digest` text NOT NULL,
	`at` text NOT NULL,
	PRIMARY KEY(`caller`, `key_hash`),
	FOREIGN KEY (`client_key`) REFERENCES `client_keys`(`row`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `client_key_attempts_at` ON `client_key_attempts` (`at`);--> statement-breakpoint
CREATE TABLE `client_key_epoch` (
	`id` integer PRIMARY KEY NOT NULL,
	`epoch` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `client_key_tokens` (
	`digest` text PRIMARY KEY NOT NULL,
	`client_key` integer NOT NULL,
	`generation` text NOT NULL,
	`hint` text NOT NULL,
	`created_at` text NOT NULL,
	`expires_at` text,
	`revoked_at` text,
	`last_used_at` text,
	`last_used_ip` text,
	`last_used_agent` text,
	`use_count` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`client_key`) REFERENCES `client_keys`(`row`) ON UPDATE no action ON DELETE restrict
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `client_key_tokens_client_key` ON `client_key_tokens` (`client_key`,`created_at`);--> statement-breakpoint
CREATE INDEX `client_key_tokens_generation` ON `client_key_tokens` (`generation`);--> statement-breakpoint
CREATE TABLE `client_key_usage` (
	`client_key_id` text NOT NULL,
	`day` text NOT NULL,
	`kind` text NOT NULL,
	`label` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`client_key_id`, `day`, `kind`, `label`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `client_key_usage_day` ON `client_key_usage` (`day`);--> statement-breakpoint
CREATE TABLE `client_keys` (
	`row` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`scopes` text NOT NULL,
	`expires_at` text,
	`enabled` integer NOT NULL,
	`allowed_ips` text NOT NULL,
	`rate_limit_max` integer,
	`rate_limit_window_seconds` integer,
	`metadata` text NOT NULL,
	`created_at` text NOT NULL,
	`created_by` text NOT NULL,
	`revoked_at` text,
	`revoked_reason` text,
	`last_used_at` text,
	CONSTRAINT "client_keys_rate_limit" CHECK(("client_keys"."rate_limit_max" is null) = ("client_keys"."rate_limit_window_seconds" is null)),
	CONSTRAINT "client_keys_json" CHECK(json_valid("client_keys"."scopes") and json_valid("client_keys"."allowed_ips") and json_valid("client_keys"."metadata") and json_valid("client_keys"."created_by"))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `client_keys_id_unique` ON `client_keys` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `client_keys_name_unique` ON `client_keys` (`name`) WHERE "client_keys"."revoked_at" is null;--> statement-breakpoint
CREATE TABLE `environment_key_revocations` (
	`digest` text PRIMARY KEY NOT NULL,
	`revoked_at` text NOT NULL,
	`revoked_reason` text
);
--> statement-breakpoint
CREATE TABLE `environment_key_uses` (
	`client_key_id` text NOT NULL,
	`generation` text NOT NULL,
	`last_used_at` text NOT NULL,
	`last_used_ip` text NOT NULL,
	`last_used_agent` text,
	`use_count` integer NOT NULL,
	PRIMARY KEY(`client_key_id`, `generation`)
);
