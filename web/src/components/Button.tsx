/** Buttons and keys. Ink acts, `go` opens a link, `stop` closes it, `quiet` and `bare` are the rest. */
import type { ComponentChildren, Ref } from 'preact';
import { useId } from 'preact/hooks';
import { Icon, type IconName } from './Icon';

interface ButtonProps {
  kind?: 'ink' | 'go' | 'stop' | 'quiet' | 'bare';
  icon?: IconName;
  name?: string; // accessible name of a button that is an icon alone
  wide?: boolean;
  type?: 'button' | 'submit';
  disabledBecause?: string | null; // greyed, with the reason beside it; it stays reachable by keyboard
  expanded?: boolean;
  onPress?: () => void;
  buttonRef?: Ref<HTMLButtonElement>;
  children?: ComponentChildren;
}

export function Button(props: ButtonProps) {
  const { kind = 'ink', icon, name, wide = false, type = 'button', disabledBecause, expanded, onPress, buttonRef, children } = props;
  const reason = useId();
  const off = disabledBecause !== undefined && disabledBecause !== null;
  const classes = ['btn', kind === 'ink' ? '' : kind, wide ? 'wide' : '', children === undefined ? 'icon' : ''];
  return (
    <>
      <button
        ref={buttonRef}
        type={type}
        class={classes.filter(Boolean).join(' ')}
        aria-label={name}
        aria-disabled={off ? 'true' : undefined}
        aria-describedby={off ? reason : undefined}
        aria-expanded={expanded}
        onClick={(event) => {
          if (off) event.preventDefault();
          else onPress?.();
        }}
      >
        {icon === undefined ? null : <Icon name={icon} />}
        {children}
      </button>
      {off ? <span class="hint" id={reason}>{disabledBecause}</span> : null}
    </>
  );
}

interface KeyProps {
  icon: IconName;
  state?: 'plain' | 'off' | 'on' | 'ink' | 'stop';
  pressed?: boolean;
  expanded?: boolean;
  disabled?: boolean;
  extra?: string; // more classes: its place in a bar
  onPress: () => void;
  buttonRef?: Ref<HTMLButtonElement>;
  children: ComponentChildren;
}

/** A control of a bar: icon over word. Off is a state: outlined, struck icon, other word. */
export function BarKey({ icon, state = 'plain', pressed, expanded, disabled = false, extra = '', onPress, buttonRef, children }: KeyProps) {
  const classes = ['key', state === 'plain' ? '' : state, extra].filter(Boolean).join(' ');
  return (
    <button
      ref={buttonRef}
      type="button"
      class={classes}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-disabled={disabled ? 'true' : undefined}
      onClick={() => {
        if (!disabled) onPress();
      }}
    >
      <Icon name={icon} />
      {children}
    </button>
  );
}
