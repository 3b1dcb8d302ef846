import { Type, type Static } from 'typebox';
import type { Role } from './topology.ts';

/** A lab as a scenario asks for it; `lab up` has a flag for each. */
export const LabRequest = Type.Object(
  {
    /** Default 3. */
    brokers: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    /** Nodes that are controllers and nothing else; without any every broker is one, too. */
    controllers: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
    /** Release of Kafka. */
    kafka: Type.Optional(Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$', title: 'release' })),
    disks: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2,
        description:
          "log directories of a broker: 1 on Faultline's file system (default), 2 with one beside it, 0 off it",
      }),
    ),
  },
  { additionalProperties: false },
);
export type LabRequest = Static<typeof LabRequest>;

/** Brokers of a lab unless somebody says otherwise. */
export const LAB_BROKERS = 3;
/** Kafka ids of dedicated controllers begin behind this one. */
const CONTROLLER_IDS = 100;

interface Layout {
  brokers: number;
  controllers?: number;
  clients: number;
  /** Empty nodes n1, n2, ... in place of clients. */
  bare?: boolean;
}

/** The nodes of a lab in their order: brokers n1.., controllers k1.., clients c1.. */
export function labNodes(layout: Layout): { name: string; kafkaId: number; roles: Role[] }[] {
  const { brokers, controllers = 0, clients, bare } = layout;
  const some = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  return [
    ...some(brokers).map((number) => ({
      name: `n${number}`,
      kafkaId: number,
      roles: controllers === 0 ? ['broker' as const, 'controller' as const] : ['broker' as const],
    })),
    ...some(controllers).map((number) => ({
      name: `k${number}`,
      kafkaId: CONTROLLER_IDS + number,
      roles: ['controller' as const],
    })),
    ...some(clients).map((number) => ({
      name: bare === true ? `n${number}` : `c${number}`,
      kafkaId: -1,
      roles: ['client' as const],
    })),
  ];
}

/** A lab that is there, as far as a scenario may ask for one. */
export interface LabSize {
  brokers: number;
  controllers: number;
  /** Undefined: not known, of a lab that an earlier version has made. */
  kafka: string | undefined;
  disks: number | undefined;
}

/** What of a lab is not as a scenario asks for it: 'disks: 1, not 2'. */
export function otherThanAsked(asked: LabRequest, lab: LabSize): string[] {
  const names = ['brokers', 'controllers', 'kafka', 'disks'] as const;
  return names.flatMap((name) => {
    const [wanted, found] = [asked[name], lab[name]];
    if (wanted === undefined || found === undefined || wanted === found) return [];
    return [`${name}: ${found}, not ${wanted}`];
  });
}

/** The command that brings up what is asked for. */
export function labUpCommand(asked: LabRequest): string {
  const flags = Object.entries(asked).map(([name, value]) => ` --${name} ${value}`);
  return `faultline lab up${flags.join('')}`;
}
