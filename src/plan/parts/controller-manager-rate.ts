import type { Workaround } from '../part.ts';

/** For speed: every pod waits for the default service account, which waits for the controller manager. */
export const controllerManagerRate: Workaround = {
  id: 'controller-manager-rate',
  kind: 'tuning',
  where: {},
  symptom: 'error looking up service account default/default: serviceaccount "default" not found',
  source:
    'https://github.com/kubernetes/kubernetes/blob/master/cmd/kube-controller-manager/app/options/generic.go',
  removeWhen:
    'kube-controller-manager starts its controllers without waiting for its own client limits',
  needed: () => 'the default service account appears seconds earlier',
  contribute: () => ({
    k3s: {
      'kube-controller-manager-arg': ['kube-api-qps=500', 'kube-api-burst=1000'],
    },
  }),
};
