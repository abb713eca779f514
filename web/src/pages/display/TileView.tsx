/** One of the others: a picture with its name on a solid label, or the name alone while there is no picture. */
import type { RemoteVideoTrack } from 'livekit-client';
import { useEffect, useRef } from 'preact/hooks';
import { Face } from '../../components/Face';
import { Icon } from '../../components/Icon';
import { Code } from '../../components/RoomPlate';
import { t } from '../../i18n';
import type { Tile } from './tiles';

interface TileProps {
  tile: Tile;
  track: RemoteVideoTrack | null;
  speaking: boolean;
  /** The screen is in the meeting: a picture that should be there is on its way. */
  joined: boolean;
}

export function TileView({ tile, track, speaking, joined }: TileProps) {
  const room = tile.kind === 'room';
  const seen = track !== null && tile.camera;
  const classes = ['tile', room ? 'room-tile' : 'person-tile', speaking ? 'speaking' : '', seen ? '' : 'blank'];
  return (
    <section class={classes.filter(Boolean).join(' ')} aria-label={label(tile, speaking)}>
      {seen ? <Picture track={track} /> : <Blank tile={tile} joined={joined} />}
      <h2 class="name">
        {tile.mic || tile.lost ? null : <Icon name="mic-off" />}
        {tile.center === null ? null : <Code center={tile.center} />}
        <span>{tile.name}</span>
        {room && tile.centerName !== '' ? <small>{tile.centerName}</small> : null}
      </h2>
    </section>
  );
}

function label(tile: Tile, speaking: boolean): string {
  const name = tile.kind === 'room' ? t('display.room', { room: tile.name }) : tile.name;
  return speaking ? t('display.speaks', { name }) : name;
}

/** A picture as it comes; `whole` shows all of it, otherwise it fills its place. */
export function Picture({ track, whole = false }: { track: RemoteVideoTrack; whole?: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    track.attach(element);
    return () => {
      track.detach(element);
    };
  }, [track]);
  return <video ref={video} class={whole ? 'pic whole' : 'pic'} autoplay playsInline muted />;
}

function Blank({ tile, joined }: { tile: Tile; joined: boolean }) {
  return (
    <div class="no-pic">
      {tile.center === null ? <Face name={tile.name} /> : <Code center={tile.center} silent />}
      {joined || tile.lost ? <p>{t(tile.lost ? 'display.room_lost' : tile.camera ? 'display.picture_coming' : 'display.no_camera')}</p> : null}
    </div>
  );
}
