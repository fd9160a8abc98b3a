import { z } from 'zod';

const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'must be UTC with seconds and Z, as 2025-11-28T10:00:00Z');
const amount = z.number().nonnegative();
const count = z.int().nonnegative();
const counts = z.record(z.string().min(1), count);

/** TaskResult (optimizer.md 2.1), strict: a member that the page does not name is a breach. */
export const taskResult = z.strictObject({
  task_id: z.string().min(1),
  status: z.enum(['success', 'failed', 'timeout', 'cancelled']),
  logs: z.string(),
  executed_at: time,
  duration_seconds: amount,
  error: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
});

/** Heartbeat (optimizer.md 2.1, words of 2.3). */
export const heartbeat = z.strictObject({
  cluster_id: z.string().min(1),
  status: z.enum(['starting', 'healthy', 'degraded', 'stopping']),
  timestamp: time,
});

const node = z.strictObject({
  node_name: z.string().min(1),
  instance_type: z.string(),
  instance_id: z.string(),
  availability_zone: z.string(),
  node_type: z.enum(['spot', 'on-demand']),
  cpu_allocatable: amount,
  memory_allocatable_gb: amount,
  cpu_allocated: amount,
  memory_allocated_gb: amount,
  pod_count: count,
});

const documented = {
  cluster_id: z.string().min(1),
  timestamp: time,
  node_count: count,
  total_nodes: count,
  spot_node_count: count,
  spot_nodes: count,
  on_demand_node_count: count,
  on_demand_nodes: count,
  total_cpu_cores: amount,
  total_cpu: amount,
  total_memory_gb: amount,
  allocated_cpu_cores: amount,
  allocated_cpu: amount,
  allocated_memory_gb: amount,
  pod_count: count,
  total_pods: count,
  current_cost_per_hour: amount,
  estimated_cost_per_hour: amount,
  nodes: z.array(node),
};

/** ClusterMetrics with only the members that have a documented name (optimizer.md 2.2). */
export const documentedMetrics = z.strictObject(documented);

const pairs = [
  ['node_count', 'total_nodes'],
  ['spot_node_count', 'spot_nodes'],
  ['on_demand_node_count', 'on_demand_nodes'],
  ['total_cpu_cores', 'total_cpu'],
  ['allocated_cpu_cores', 'allocated_cpu'],
  ['pod_count', 'total_pods'],
  ['current_cost_per_hour', 'estimated_cost_per_hour'],
] as const;

/** ClusterMetrics with the inferred members too; the two names of one value must agree, and spot + on-demand = all. */
export const clusterMetrics = z
  .strictObject({
    ...documented,
    running_pods: count,
    pending_pods: count,
    failed_pods: count,
    ready_nodes: count,
    not_ready_nodes: count,
    cpu_utilization_percent: amount.optional(),
    memory_utilization_percent: amount.optional(),
    spot_cost_per_hour: amount,
    on_demand_cost_per_hour: amount,
    instance_types: counts,
    availability_zones: counts,
  })
  .refine((metrics) => pairs.every(([seed, guide]) => metrics[seed] === metrics[guide]), 'both names of a value must carry the same value')
  .refine(
    (metrics) => metrics.spot_node_count + metrics.on_demand_node_count === metrics.node_count,
    'spot and on-demand must add up to node_count',
  );

/** A batch of events: a bare array of the item of optimizer.md 3.3 plus `event_type` (2.3). */
export const events = z
  .array(
    z.strictObject({
      metric_type: z.literal('event'),
      event_type: z.enum(['FailedScheduling', 'NodeNotReady', 'Evicted', 'OOMKilled']),
      cluster_id: z.string().min(1),
      timestamp: time,
      namespace: z.string(),
      name: z.string().min(1),
      type: z.enum(['Normal', 'Warning']),
      reason: z.string().min(1),
      message: z.string(),
      involved_object: z.strictObject({ kind: z.string().min(1), name: z.string().min(1), namespace: z.string() }),
      count: z.int().positive(),
    }),
  )
  .min(1);

/** One line per breach, naming the member. */
export function breaches(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
}
