export {
  applyMigrations,
  checkDatabase,
  checkSchema,
  type Migration,
  migrationsFor,
  SCHEMA_VERSION,
  type SchemaOptions,
  type SchemaState,
} from "./migrations.ts";
export type { PostgresPool } from "./pool.ts";
export { type PostgresStoreOptions, postgresStore } from "./postgres-store.ts";
