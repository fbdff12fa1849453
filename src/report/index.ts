/** A model as a page: what it confuses, where it puts things, and how it came to be. */
export { type ReportOptions, reportOf, writeReport } from './report.ts'
