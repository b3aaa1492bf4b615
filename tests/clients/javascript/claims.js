// Each claim is tried against the cluster of $KUBECONFIG; one line of JSON says how it went.
import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const namespace = 'default';
const pod = (name, command) => ({
  metadata: { name },
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox:1.37', command }] },
});
const labels = { app: 'js' };
const deployment = {
  metadata: { name: 'js' },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'web', image: 'nginx:1.27' }] },
    },
  },
};

// The first change of a kind for which `holds` says yes.
const until = (path, holds, query = {}) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing came on ${path}`)), 15000);
    let request;
    const done = (value) => {
      clearTimeout(timer);
      resolve(value);
      request?.abort();
    };
    new k8s.Watch(config)
      .watch(path, query, (type, obj) => holds(type, obj) && done(obj), () => {})
      .then((r) => { request = r; }, reject);
  });

const claims = {
  'nodes are listed': async () => {
    const { items } = await core.listNode();
    assert.equal(items[0].metadata.name, 'control-plane');
  },
  'a list goes on where it stopped': async () => {
    const first = await core.listPodForAllNamespaces({ limit: 3 });
    const _continue = first.metadata._continue;
    const second = await core.listPodForAllNamespaces({ limit: 3, _continue });
    assert.equal(first.items.length, 3);
    assert.notEqual(first.items[0].metadata.uid, second.items[0].metadata.uid);
  },
  'a deployment becomes available': async () => {
    await apps.createNamespacedDeployment({ namespace, body: deployment });
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const seen = await until(path, (_, obj) => obj.status?.availableReplicas === 2);
    assert.equal(seen.metadata.name, 'js');
  },
  'a merge patch changes one field': async () => {
    const body = [{ op: 'replace', path: '/spec/replicas', value: 1 }];
    const changed = await apps.patchNamespacedDeployment({ name: 'js', namespace, body });
    assert.equal(changed.spec.replicas, 1);
  },
  'a scale is read and written': async () => {
    const scale = await apps.readNamespacedDeploymentScale({ name: 'js', namespace });
    scale.spec.replicas = 2;
    const body = await apps.replaceNamespacedDeploymentScale({ name: 'js', namespace, body: scale });
    assert.equal(body.spec.replicas, 2);
  },
  'an informer hears of what comes and goes': async () => {
    const list = () => core.listNamespacedConfigMap({ namespace });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const informer = k8s.makeInformer(config, path, list);
    const heard = [];
    const gone = new Promise((resolve) => {
      informer.on('add', (obj) => obj.metadata.name === 'js' && heard.push('add'));
      informer.on('update', (obj) => obj.metadata.name === 'js' && heard.push('update'));
      informer.on('delete', (obj) => obj.metadata.name === 'js' && resolve(heard.push('delete')));
    });
    await informer.start();
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'js' } } });
    const made = await core.readNamespacedConfigMap({ name: 'js', namespace });
    await core.replaceNamespacedConfigMap({
      name: 'js', namespace, body: { ...made, data: { a: '1' } },
    });
    await core.deleteNamespacedConfigMap({ name: 'js', namespace });
    await gone;
    await informer.stop();
    assert.deepEqual(heard, ['add', 'update', 'delete']);
  },
  'a watch goes on from a version': async () => {
    const made = await core.createNamespacedConfigMap({
      namespace, body: { metadata: { name: 'resumed' } },
    });
    await core.deleteNamespacedConfigMap({ name: 'resumed', namespace });
    const { resourceVersion } = made.metadata;
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const gone = await until(path, (type) => type === 'DELETED', { resourceVersion });
    assert.equal(gone.metadata.name, 'resumed');
  },
  'exec has streams and a status': async () => {
    await core.createNamespacedPod({ namespace, body: pod('box', ['sleep', '99999']) });
    const path = `/api/v1/namespaces/${namespace}/pods`;
    await until(path, (_, obj) => obj.metadata.name === 'box' && obj.status.phase === 'Running');
    const out = new PassThrough();
    const status = await new Promise((resolve, reject) => {
      const words = ['sh', '-c', 'echo out; exit 3'];
      new k8s.Exec(config)
        .exec(namespace, 'box', 'c', words, out, process.stderr, null, false, resolve)
        .catch(reject);
    });
    assert.equal(out.read().toString(), 'out\n');
    assert.equal(status.details.causes[0].message, '3');
  },
  'a log is followed to its end': async () => {
    const body = pod('talk', ['sh', '-c', 'echo a; sleep 1; echo b']);
    await core.createNamespacedPod({ namespace, body });
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const started = (obj) => obj.metadata.name === 'talk' && obj.status.phase !== 'Pending';
    await until(path, (_, obj) => started(obj));
    let text = '';
    const sink = new Writable({
      write(chunk, _, next) { text += chunk; next(); },
    });
    await new k8s.Log(config).log(namespace, 'talk', 'c', sink, { follow: true });
    await new Promise((resolve) => { sink.on('finish', resolve); setTimeout(resolve, 3000); });
    assert.equal(text, 'a\nb\n');
  },
  'a refusal is a Status': async () => {
    const wrong = { metadata: { name: 'Bad_Name' } };
    const error = await core
      .createNamespacedConfigMap({ namespace, body: wrong })
      .then(() => null, (refused) => refused);
    const status = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    assert.equal(error.code, 422);
    assert.equal(status.details.causes[0].field, 'metadata.name');
  },
  'what is not there is not found': async () => {
    const error = await core
      .readNamespacedPod({ name: 'nope', namespace })
      .then(() => null, (refused) => refused);
    assert.equal(error.code, 404);
  },
  'a deployment is deleted with what it made': async () => {
    const propagationPolicy = 'Foreground';
    await apps.deleteNamespacedDeployment({ name: 'js', namespace, propagationPolicy });
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const { metadata } = await apps.listNamespacedDeployment({ namespace });
    const left = await apps.listNamespacedDeployment({ namespace });
    if (left.items.length) {
      const { resourceVersion } = metadata;
      await until(path, (type) => type === 'DELETED', { resourceVersion });
    }
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=js' });
    assert.equal(items.length, 0);
  },
};

for (const [claim, holds] of Object.entries(claims)) {
  const result = await holds().then(() => '', (error) => `${error.stack ?? error}`);
  console.log(JSON.stringify({ claim, problem: result }));
}
process.exit(0);
