CREATE TABLE `secret_generations` (
	`generation` text PRIMARY KEY NOT NULL,
	`recorded_at` text NOT NULL
);
