/** What every object has, as the API server's JSON spells it. */
export interface MetadataJson {
  namespace?: string;
  name?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  labels?: Record<string, string>;
}
