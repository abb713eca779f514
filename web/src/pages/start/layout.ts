/** Where things stand on the map of centers: a flat projection, and labels that do not cover each other. Pure. */
import type { StartCenter } from './data';

/** The size of the map, in its own units (about CSS px). */
export const WIDTH = 520;
export const HEIGHT = 400;
const MARGIN = 56;
const PLATE = { width: 36, height: 20 };
const LETTER = 6; // mean width of a letter of a name at 11 px
const REACH = 42; // from a center to the middle of its plate

/** A center on the map: its dot, the middle of its plate, and where its name starts. */
export interface Placed {
  readonly id: string;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly plateX: number;
  readonly plateY: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Every center with its place; the same input gives the same map. */
export function place(centers: readonly StartCenter[]): readonly Placed[] {
  const dots = project(centers);
  const taken: Box[] = dots.map(({ x, y }) => box(x, y, 12, 12));
  return dots.map((dot) => {
    const spots = around(dot).filter((spot) => inside(label(spot, dot.name)));
    const best = (spots.length > 0 ? spots : around(dot))
      .map((spot) => ({ spot, cost: taken.reduce((sum, other) => sum + overlap(label(spot, dot.name), other), 0) }))
      .reduce((a, b) => (b.cost < a.cost ? b : a)).spot;
    taken.push(label(best, dot.name));
    return { ...dot, plateX: best.x, plateY: best.y };
  });
}

/** Equirectangular, true to scale at the middle latitude, fitted into the map. */
function project(centers: readonly StartCenter[]): { id: string; name: string; x: number; y: number }[] {
  const middle = mean(centers.map((center) => center.latitude));
  const flat = centers.map((center) => ({
    id: center.id,
    name: center.name,
    east: center.longitude * Math.cos((middle * Math.PI) / 180),
    south: -center.latitude,
  }));
  const [west, east] = [Math.min(...flat.map((at) => at.east)), Math.max(...flat.map((at) => at.east))];
  const [north, south] = [Math.min(...flat.map((at) => at.south)), Math.max(...flat.map((at) => at.south))];
  const scale = Math.min((WIDTH - 2 * MARGIN) / Math.max(east - west, 0.01), (HEIGHT - 2 * MARGIN) / Math.max(south - north, 0.01));
  return flat.map((at) => ({
    id: at.id,
    name: at.name,
    x: WIDTH / 2 + (at.east - (west + east) / 2) * scale,
    y: HEIGHT / 2 + (at.south - (north + south) / 2) * scale,
  }));
}

function around({ x, y }: { x: number; y: number }): { x: number; y: number }[] {
  return [-60, 60, -120, 120, -30, 150, 30, -150, 0, 180, -90, 90].map((degrees) => {
    const angle = (degrees * Math.PI) / 180;
    return { x: x + REACH * Math.cos(angle), y: y + REACH * Math.sin(angle) };
  });
}

/** The plate and the name to its right. */
function label({ x, y }: { x: number; y: number }, name: string): Box {
  return { left: x - PLATE.width / 2, right: x + PLATE.width / 2 + 6 + name.length * LETTER, top: y - PLATE.height / 2, bottom: y + PLATE.height / 2 };
}

function box(x: number, y: number, width: number, height: number): Box {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

function inside(area: Box): boolean {
  return area.left >= 0 && area.top >= 0 && area.right <= WIDTH && area.bottom <= HEIGHT;
}

function overlap(a: Box, b: Box): number {
  const gap = 4;
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left) + gap;
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) + gap;
  return width > 0 && height > 0 ? width * height : 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
