import type { SteerTable } from './act-packets.ts';
import { describeShape, type PacketShape } from './packet-shape.ts';

/** Packets that the kernel shapes as they leave: a table that chooses a class, qdiscs that have it. */
export interface ShapeTable extends SteerTable {
  /** Network devices by which the peers are reached. */
  devices: string[];
  shape: PacketShape;
}

/** Packets through qdiscs of the kernel (tc-htb(8), tc-netem(8)). */
export type ShapingAct =
  /**
   * Makes a tree of classes on each device, unless one of ours is there, adds the classes of this fault,
   * and then the table that sends packets to them. Never replaces a qdisc that somebody else has made.
   */
  | { act: 'shaping.apply'; shaping: ShapeTable }
  /** Renews the kernel's timeout of the table's elements; a Failure 'expired' where one has ended. */
  | { act: 'shaping.refresh'; shaping: ShapeTable }
  /** Deletes the table, then classes that no table uses, then trees of ours without a class. */
  | { act: 'shaping.release'; token: string };

export function describeShapingAct(act: ShapingAct): string {
  switch (act.act) {
    case 'shaping.apply': {
      const { table, devices, peers, shape } = act.shaping;
      const whom = peers.map(
        ({ name, ipv4, ipv6 }) => `${name} (${[...ipv4, ...ipv6].join(', ')})`,
      );
      return (
        `make classes of qdisc htb fa17: on ${devices.join(', ')} and nft table inet ${table}, which ` +
        `sends to them what leaves for ${whom.join('; ')}: ${describeShape(shape)}`
      );
    }
    case 'shaping.refresh':
      return `refresh the element timeouts of nft table inet ${act.shaping.table}`;
    case 'shaping.release':
      return `delete nft table inet ${act.token}, its classes, and qdiscs of ours that have none`;
  }
}
