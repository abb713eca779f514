// Generated from wire/ by `npm run wire`. Do not edit.

/**
 * Every error code of the control API and the link. Once released a code never changes its meaning.
 */
export type Code =
  | 'agent_present'
  | 'agent_replaced'
  | 'bad_origin'
  | 'bad_request'
  | 'command_expired'
  | 'command_unknown'
  | 'device_failed'
  | 'device_timed_out'
  | 'device_unknown'
  | 'device_unreachable'
  | 'device_unsupported'
  | 'forbidden'
  | 'internal'
  | 'key_revoked'
  | 'key_unknown'
  | 'link_expired'
  | 'link_revoked'
  | 'link_unknown'
  | 'link_used'
  | 'meeting_over'
  | 'meeting_unknown'
  | 'no_rooms'
  | 'not_found'
  | 'protocol_unsupported'
  | 'room_busy'
  | 'room_maintenance'
  | 'room_offline'
  | 'room_unknown'
  | 'room_unusable'
  | 'room_unverified'
  | 'signature_invalid'
  | 'storage_full'
  | 'token_expired'
  | 'token_invalid'
  | 'too_large'
  | 'too_many'
  | 'unauthenticated'
  | 'unavailable';
/**
 * Whether we can talk with the device.
 */
export type Connection = 'connecting' | 'online' | 'unreachable';
/**
 * What a device is for in a room. Scenes and pages name roles, never models.
 */
export type Role =
  | 'air_sensor'
  | 'content_input'
  | 'front_display'
  | 'main_camera'
  | 'mute_button'
  | 'network_switch'
  | 'occupancy_sensor'
  | 'room_computer'
  | 'room_mic'
  | 'room_speaker'
  | 'second_display'
  | 'ups';
/**
 * State of a room, owned by its agent.
 */
export type Phase =
  'calling' | 'idle' | 'in_meeting' | 'maintenance' | 'offline' | 'preparing' | 'releasing' | 'ringing';
/**
 * The answer about a room.
 */
export type Health = 'degraded' | 'maintenance' | 'ready' | 'unknown' | 'unusable';
/**
 * Where a room of a meeting stands.
 */
export type RoomCall = 'declined' | 'joined' | 'left' | 'lost' | 'preparing' | 'ringing' | 'unanswered';

export interface Wire {
  ActionResult: ActionResult;
  Center: Center;
  Code: Code;
  Connection: Connection;
  DashboardRoom: DashboardRoom;
  DashboardView: DashboardView;
  Device: Device;
  DeviceCommand: DeviceCommand;
  DeviceResult: DeviceResult;
  DirectoryCenter: DirectoryCenter;
  DirectoryRoom: DirectoryRoom;
  DirectoryView: DirectoryView;
  DisplayView: DisplayView;
  Health: Health;
  IncomingCall: IncomingCall;
  Invitation: Invitation;
  InvitationView: InvitationView;
  JoinGrant: JoinGrant;
  JoinRequest: JoinRequest;
  MediaState: MediaState;
  Meeting: Meeting;
  MeetingRoom: MeetingRoom;
  Notice: Notice;
  PanelAction: PanelAction;
  PanelView: PanelView;
  Participant: Participant;
  Patch: Patch;
  Phase: Phase;
  Problem: Problem;
  Property: Property;
  RefreshRequest: RefreshRequest;
  Role: Role;
  Room: Room;
  RoomCall: RoomCall;
  Snapshot: Snapshot;
  StartMeeting: StartMeeting;
  Verdict: Verdict;
}
/**
 * Answer to a PanelAction; the new state arrives as a patch of the document.
 */
export interface ActionResult {
  devices?: DeviceResult[];
  id: number;
  problem?: Problem | null;
  type: 'result';
}
/**
 * What became of one device command: partial failure is data.
 */
export interface DeviceResult {
  code?: Code | null;
  detail?: string;
  device: string;
  op: string;
  outcome: 'accepted' | 'done' | 'failed' | 'superseded' | 'timed_out' | 'unsupported';
  retryable?: boolean;
}
/**
 * The error body of every API. `message` is plain English for the developer; pages translate `code`.
 *
 *     `room` names the room it is about, `instead` a free healthy stand-in of the same center; `reference` finds an
 *     internal error in the log.
 */
export interface Problem {
  code: Code;
  instead?: string | null;
  message: string;
  reference?: string | null;
  retry_after?: number | null;
  room?: string | null;
}
/**
 * One work center. `latitude`/`longitude` in degrees WGS 84; `contact` is who can help on site.
 */
export interface Center {
  contact?: string;
  id: string;
  language?: string;
  latitude: number;
  longitude: number;
  name: string;
  operator?: string;
  timezone?: string;
}
/**
 * A room on the dashboard. `until`: end of the meeting if known. Never a title or a name.
 */
export interface DashboardRoom {
  agent_online?: boolean;
  agent_seen?: number | null;
  devices?: {
    [k: string]: Device;
  };
  help_asked_at?: number | null;
  help_text?: string;
  meeting_since?: number | null;
  order: number;
  phase: Phase;
  room: Room;
  software?: string;
  verdict: Verdict;
}
/**
 * A device of a room as its agent sees it. `capabilities` like `power`, `ptz`, `presets`, `volume`, `mute`.
 */
export interface Device {
  axes?: string[];
  besides?: Notice[];
  capabilities?: string[];
  connection?: Connection;
  driver: string;
  fault?: Notice | null;
  id: string;
  inputs?: string[];
  last_seen?: number | null;
  last_words?: string;
  model?: string;
  name: string;
  presets?: {
    [k: string]: string;
  };
  properties?: {
    [k: string]: Property;
  };
  role: Role;
}
/**
 * A sentence for people: `code` is a key of the translation catalog, `args` fill its places.
 */
export interface Notice {
  args?: {
    [k: string]: string | number;
  };
  code: string;
}
/**
 * One property (`power`, `volume`, `mute`, `preset`, `input`…) of a device.
 *
 *     `desired` is what was asked; `reported` what the device said, at `observed_at` (Unix seconds); `assumed` is what we
 *     believe without its word. `remaining` seconds until a slow change is done, of `total` (warm-up, cool-down).
 */
export interface Property {
  assumed?: string | number | boolean | null;
  desired?: string | number | boolean | null;
  observed_at?: number | null;
  remaining?: number | null;
  reported?: string | number | boolean | null;
  total?: number | null;
}
/**
 * One equipped meeting room of a center.
 */
export interface Room {
  center: string;
  equipment?: 'board' | 'huddle' | 'meeting';
  id: string;
  name: string;
  seats: number;
}
/**
 * A room's verdict: why, and what to do next and who can. `since` and `observed_at` are Unix seconds.
 *
 *     `observed_at` is the age of the oldest fact it rests on: pages show it, and turn the verdict unknown when it is old.
 */
export interface Verdict {
  because?: Notice[];
  health: Health;
  next_step?: Notice | null;
  observed_at?: number | null;
  since?: number | null;
  who?: string;
}
/**
 * Topic `dashboard`: every room by center. `server_time` lets pages tell the age of data.
 */
export interface DashboardView {
  centers?: {
    [k: string]: DirectoryCenter;
  };
  meetings?: number;
  participants?: number;
  rooms?: {
    [k: string]: DashboardRoom;
  };
}
/**
 * A center and its place in stable lists.
 */
export interface DirectoryCenter {
  center: Center;
  order: number;
}
/**
 * One command to a device by role. `op` like `set_power`, `set_volume`, `set_mute`, `recall_preset`, `move`, `stop`.
 */
export interface DeviceCommand {
  args?: {
    [k: string]: string | number | boolean | null;
  };
  op: string;
  role: Role;
}
/**
 * A room as others may see it: can it take a call now, and if not why. `order` keeps lists stable.
 */
export interface DirectoryRoom {
  availability?: 'busy' | 'free' | 'maintenance' | 'offline' | 'unknown' | 'unusable';
  because?: Notice | null;
  instead?: string | null;
  order: number;
  room: Room;
}
/**
 * Topic `directory`: all centers and rooms, the same for every room.
 */
export interface DirectoryView {
  centers?: {
    [k: string]: DirectoryCenter;
  };
  rooms?: {
    [k: string]: DirectoryRoom;
  };
}
/**
 * Topic `display`: what a room's screen shows. `media_url`, `media_token` while in a meeting.
 */
export interface DisplayView {
  center: Center;
  centers?: {
    [k: string]: string;
  };
  incoming?: IncomingCall | null;
  media?: MediaState;
  media_token?: string | null;
  media_url?: string | null;
  meeting?: Meeting | null;
  phase: Phase;
  room: Room;
  rooms?: {
    [k: string]: string;
  };
  scene?: 'call' | 'idle' | 'present' | 'standby';
  server?: boolean;
  verdict?: Verdict | null;
}
/**
 * Someone calls this room. `answers_at`: when it will answer by itself (Unix seconds), if it does.
 */
export interface IncomingCall {
  answers_at?: number | null;
  caller: string;
  meeting: string;
  title: string;
  until: number;
}
/**
 * The room's own picture and sound: asked (`*_wanted`) and confirmed. `volume` 0..1.
 *
 *     `mic_silent`: sound is sent, and the microphone does not answer: nobody knows whether it is open. `camera_silent`: the
 *     same of a camera whose pictures nobody here sees pass; one whose pictures are known to go out is `camera`, answer or not.
 */
export interface MediaState {
  camera?: boolean;
  camera_silent?: boolean;
  camera_wanted?: boolean;
  connected?: boolean;
  mic?: boolean;
  mic_silent?: boolean;
  mic_wanted?: boolean;
  problem?: Notice | null;
  volume?: number | null;
  volume_wanted?: number | null;
}
/**
 * A live session. `media` is the LiveKit room name; `started_at` Unix seconds.
 */
export interface Meeting {
  id: string;
  media: string;
  participants?: {
    [k: string]: Participant;
  };
  rooms?: {
    [k: string]: MeetingRoom;
  };
  started_at: number;
  started_by: string;
  title: string;
}
/**
 * One participant: a room (its sessions folded into one) or a person. `id` is the media identity (`room:ID`, `guest:…`).
 */
export interface Participant {
  camera?: boolean;
  center?: string | null;
  id: string;
  joined_at?: number | null;
  kind: 'person' | 'room';
  mic?: boolean;
  name: string;
  screen?: boolean;
  speaking?: boolean;
}
/**
 * A room of a meeting. `until` (Unix seconds) is when ringing ends.
 */
export interface MeetingRoom {
  call: RoomCall;
  id: string;
  until?: number | null;
}
/**
 * A guest link. `url` holds the secret: shown to those in the meeting only. `expires_at` Unix seconds.
 */
export interface Invitation {
  expires_at: number;
  id: string;
  url: string;
}
/**
 * What a person who opens a guest link sees before joining.
 */
export interface InvitationView {
  present?: Participant[];
  started_at: number;
  title: string;
}
/**
 * What opens the media: `url` for livekit-client, a `token` valid `expires_in` seconds, and how to get the next.
 */
export interface JoinGrant {
  expires_in: number;
  identity: string;
  meeting: string;
  refresh: string;
  title: string;
  token: string;
  url: string;
}
/**
 * `POST /api/v1/invitations/{secret}/join`. `name` 1–60 printable characters.
 */
export interface JoinRequest {
  language?: string;
  name: string;
}
/**
 * Panel → agent over its WebSocket (JSON text ≤ 16 KiB), answered by ActionResult with the same id.
 *
 *     start rooms · cancel · answer · decline · leave · end · add_rooms rooms · remove participant · invite ·
 *     revoke_invitations · help · set_mic on · set_camera on · set_volume volume · device command · resync
 */
export interface PanelAction {
  command?: DeviceCommand | null;
  id: number;
  on?: boolean | null;
  op:
    | 'add_rooms'
    | 'answer'
    | 'cancel'
    | 'decline'
    | 'device'
    | 'end'
    | 'help'
    | 'invite'
    | 'leave'
    | 'remove'
    | 'resync'
    | 'revoke_invitations'
    | 'set_camera'
    | 'set_mic'
    | 'set_volume'
    | 'start';
  participant?: string | null;
  rooms?: string[];
  text?: string;
  volume?: number | null;
}
/**
 * Topic `panel`: everything a room's panel shows. `server` False: the control link is down, the room works alone.
 */
export interface PanelView {
  center: Center;
  demo?: boolean;
  devices?: {
    [k: string]: Device;
  };
  directory?: DirectoryView;
  help_asked_at?: number | null;
  incoming?: IncomingCall | null;
  invitation?: Invitation | null;
  invitation_qr?: string | null;
  last_calls?: {
    [k: string]: RoomCall;
  };
  media?: MediaState;
  meeting?: Meeting | null;
  phase: Phase;
  phase_since: number;
  results?: DeviceResult[];
  room: Room;
  server?: boolean;
  server_problem?: Problem | null;
  verdict?: Verdict | null;
}
/**
 * The change of `topic` that makes `revision`.
 */
export interface Patch {
  data: {
    [k: string]: unknown;
  };
  revision: number;
  topic: string;
  type: 'patch';
}
/**
 * `POST /api/v1/sessions/refresh` and `/leave`: the secret given with the join grant.
 */
export interface RefreshRequest {
  refresh: string;
}
/**
 * The whole document of `topic`.
 */
export interface Snapshot {
  data: {
    [k: string]: unknown;
  };
  revision: number;
  topic: string;
  type: 'snapshot';
}
/**
 * `POST /api/v1/meetings` (IT) and the agent's request `start_meeting`: rooms by id, all or none.
 *
 *     `media` names the LiveKit room; only IT may choose it, by default it is minted.
 */
export interface StartMeeting {
  media?: string;
  rooms: string[];
  title?: string;
}
