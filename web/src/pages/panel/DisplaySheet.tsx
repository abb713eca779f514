/** What one display shows: its input, its picture, its power, each only where it can be told so. */
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Note } from '../../components/Notice';
import { notice, t } from '../../i18n';
import type { PanelView, Role } from '../../wire';
import { displayControl } from './equipment';
import { RefusalLine } from './Refusal';
import { screenOf } from './screen';
import type { PanelState } from './state';
import { askDevice, dispatch } from './store';

export function DisplaySheet({ current, view, role }: { current: PanelState; view: PanelView; role: Role }) {
  const control = displayControl(view, role);
  if (control === null) return null;
  const { name, reachable, fault, power, inputs, blank } = control;
  const usable = reachable && current.reach === 'open';
  const atRest = screenOf(view) === 'idle';
  const asked = inputs.some((input) => input.asked);
  return (
    <Dialog title={name} onClose={() => dispatch({ type: 'close', kind: 'display' })}>
      <div class="sheet">
        {reachable ? null : <Note state="degraded">{fault === null ? t('panel.device.unreachable') : notice(fault)}</Note>}
        {inputs.length === 0 || power === 'off' ? null : (
          <section aria-labelledby="inputs">
            <h3 class="label" id="inputs">{t('panel.display.input')}</h3>
            <div class="presets" role="group" aria-labelledby="inputs">
              {inputs.map((input) => (
                <button
                  key={input.name}
                  type="button"
                  class={input.asked ? 'btn quiet asked' : 'btn quiet'}
                  aria-pressed={asked ? input.asked : input.selected}
                  aria-disabled={usable ? undefined : 'true'}
                  onClick={() => {
                    if (usable) askDevice({ role, op: 'select_input', args: { input: input.name } });
                  }}
                >
                  {input.name}
                </button>
              ))}
            </div>
            {asked && power === 'warming' ? <p class="second">{t('panel.display.later')}</p> : null}
          </section>
        )}
        {usable ? (
          <div class="choices">
            {blank === null ? null : <Button kind="quiet" onPress={() => askDevice({ role, op: 'set_blank', args: { on: !blank } })}>{t(blank ? 'panel.display.unblank' : 'panel.display.blank')}</Button>}
            {atRest && power === 'on' ? <Button kind="quiet" onPress={() => askDevice({ role, op: 'set_power', args: { on: false } })}>{t('panel.power.switch_off')}</Button> : null}
            {power === 'off' ? <Button kind="quiet" onPress={() => askDevice({ role, op: 'set_power', args: { on: true } })}>{t('panel.power.switch_on')}</Button> : null}
          </div>
        ) : null}
        <RefusalLine current={current} view={view} />
      </div>
    </Dialog>
  );
}
