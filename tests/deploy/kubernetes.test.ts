/** The manifests in `deploy/k8s`: valid for the schemas of Kubernetes, and in step with the service's own defaults. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { load } from 'js-yaml';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import { DEFAULTS, KILL_MARGIN_MS } from '../../src/protocol/limits.js';
import { ROOT } from '../support/processes.js';

const FOLDER = join(ROOT, 'deploy', 'k8s');
const read = (file: string): unknown => load(readFileSync(join(FOLDER, file), 'utf8'));

/** Each takes a manifest and validates it against the schema of its kind. */
const KINDS: Readonly<Record<string, (manifest: never) => { validate(): void }>> = {
  Deployment: manifest => new Deployment(manifest),
  Service: manifest => new Service(manifest),
  PodDisruptionBudget: manifest => new PodDisruptionBudget(manifest),
  HorizontalPodAutoscaler: manifest => new HorizontalPodAutoscaler(manifest),
  NetworkPolicy: manifest => new NetworkPolicy(manifest),
  PodMonitor: manifest => new PodMonitor(manifest),
};

interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
}
const { resources, images } = read('kustomization.yaml') as Kustomization;

test('kustomization.yaml lists every manifest', () => {
  const files = readdirSync(FOLDER).filter(name => name !== 'kustomization.yaml');
  expect([...resources].toSorted()).toEqual(files.toSorted());
});

test.each(resources)('%s is valid', file => {
  const manifest = read(file) as { kind: string; apiVersion: string };
  const made = KINDS[manifest.kind]?.(manifest as never);
  expect(made).toMatchObject({ apiVersion: manifest.apiVersion, kind: manifest.kind });
  expect(() => made?.validate()).not.toThrow();
});

test('a manifest with a misspelt field is not', () => {
  const manifest = read('service.yaml') as { spec: object };
  const misspelt = { ...manifest, spec: { ...manifest.spec, ports: [{ prot: 80 }] } };
  expect(() => KINDS['Service']?.(misspelt as never).validate()).toThrow(/port/);
});

describe('the deployment', () => {
  const deployment = new Deployment(read('deployment.yaml') as never);
  const pod = deployment.spec?.template.spec;
  const container = pod?.containers[0];
  const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  const number = (name: string, otherwise: number): number => Number(env[name] ?? otherwise);

  test('allows a pod more time to end than preStop, drain and resources take', () => {
    const preStopMs = Number(container?.lifecycle?.preStop?.sleep?.seconds) * 1_000;
    const drainMs =
      number('DRAIN_DELAY_MS', DEFAULTS.drainDelayMs) + number('DRAIN_TIMEOUT_MS', DEFAULTS.drainTimeoutMs);
    const closeMs = number('CLOSE_TIMEOUT_MS', DEFAULTS.closeTimeoutMs);
    expect(preStopMs).toBeGreaterThan(0);
    expect(Number(pod?.terminationGracePeriodSeconds) * 1_000).toBeGreaterThan(
      preStopMs + drainMs + closeMs + KILL_MARGIN_MS,
    );
  });

  test('probes liveness for longer than the watchdog takes to replace a hung worker', () => {
    const { periodSeconds = 0, failureThreshold = 0 } = container?.livenessProbe ?? {};
    expect(periodSeconds * failureThreshold * 1_000).toBeGreaterThan(60_000);
  });

  test('has as many workers as CPUs', () => {
    expect(env['WEB_CONCURRENCY']).toBe(container?.resources?.limits?.['cpu']);
  });

  test('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(images).toEqual([{ name: container?.image, newTag: version }]);
  });

  test('meets the restricted pod security standard', () => {
    expect(pod?.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });
});
