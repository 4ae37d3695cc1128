/** Another process that holds the write lock of a database file until its standard input ends. */
import Database from "better-sqlite3";

const db = new Database(process.argv[2] ?? "", { fileMustExist: true });
db.exec("BEGIN IMMEDIATE");
console.log("locked");
process.stdin.resume().on("end", () => {
  db.exec("ROLLBACK");
  db.close();
});
