/* Envoi console: comforts only; every page works without. */
(() => {
  'use strict';
  const d = document, root = d.documentElement;
  const on = (type, f, where) => (where || d).addEventListener(type, f);
  root.classList.add('js');

  // One announcement at a time.
  let toast, gone;
  const say = (text, quiet) => {
    if (!toast) {
      toast = d.createElement('p');
      toast.setAttribute('role', 'status');
      d.body.append(toast);
    }
    toast.className = quiet ? 'sr' : 'toast';
    toast.textContent = text;
    clearTimeout(gone);
    gone = setTimeout(() => { toast.className = 'sr'; toast.textContent = ''; }, 2500);
  };

  const copy = async button => {
    const of = button.dataset.copyOf;
    const text = of ? d.getElementById(of).textContent : button.dataset.copy;
    try { await navigator.clipboard.writeText(text); } catch {
      const area = d.createElement('textarea');             // no clipboard outside https
      area.value = text;
      area.className = 'sr';
      (button.closest('dialog') || d.body).append(area);
      area.select();
      const done = d.execCommand('copy');
      area.remove();
      button.focus();
      if (!done) return;
    }
    button.classList.add('done');
    setTimeout(() => button.classList.remove('done'), 2000);
    say(d.body.dataset.copied);
  };

  const reveal = button => {
    const field = d.getElementById(button.dataset.reveal), shown = field.type === 'password';
    field.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', shown);
  };

  // a[data-confirm]: the form #confirm of that page in a dialog; on any fault the page itself.
  let dialog;
  const confirm = async link => {
    try {
      const page = await fragment(link.href);
      const form = page.getElementById('confirm');
      if (!form) throw 0;
      if (!dialog) {
        dialog = d.createElement('dialog');
        d.body.append(dialog);
        on('click', e => { if (e.target === dialog) dialog.close(); }, dialog);
      }
      form.querySelectorAll('[data-cancel]').forEach(c => on('click', e => { e.preventDefault(); dialog.close(); }, c));
      form.querySelector('h1').id = 'confirm-h';
      dialog.setAttribute('aria-labelledby', 'confirm-h');
      dialog.replaceChildren(form);
      dialog.showModal();
    } catch { location.href = link.href; }
  };

  const fragment = async url => {
    const answer = await fetch(url, { headers: { 'X-Fragment': '1' }, credentials: 'same-origin', redirect: 'error' });
    if (!answer.ok) throw answer.status;
    return new DOMParser().parseFromString(await answer.text(), 'text/html');
  };

  // Menus: one open at a time, closed by Escape and by a click outside.
  const MENU = ':is(details.menu, .top > details)[open]';
  const close = except => d.querySelectorAll(MENU).forEach(m => { if (m !== except) m.open = false; });
  on('click', e => {
    const at = e.target, menu = at.closest(MENU);
    close(menu);
    if (menu && at.closest('.pop :is(a, [data-copy])')) menu.open = false;
    const button = at.closest('[data-copy], [data-copy-of], [data-reveal], a[data-confirm]');
    if (!button) return;
    if ('reveal' in button.dataset) return reveal(button);
    if (!('confirm' in button.dataset)) return copy(button);
    if (e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
    e.preventDefault();
    confirm(button);
  });
  on('keydown', e => {
    const menu = e.key === 'Escape' && d.activeElement.closest(MENU);
    if (e.key === 'Escape') close();
    if (menu) menu.querySelector('summary').focus();
    // Charts: arrow keys walk from day to day.
    const plot = d.activeElement.closest('.plot');
    const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!plot || !step) return;
    e.preventDefault();
    const days = [...plot.querySelectorAll('.day')], i = days.findIndex(x => x.classList.contains('on'));
    const next = days[i < 0 ? (step > 0 ? 0 : days.length - 1) : Math.min(days.length - 1, Math.max(0, i + step))];
    days.forEach(x => x.classList.toggle('on', x === next));
    say(next.querySelector('title').textContent, true);
  });
  d.querySelectorAll('.plot').forEach(plot => {
    plot.tabIndex = 0;
    on('blur', () => plot.querySelectorAll('.on').forEach(x => x.classList.remove('on')), plot);
  });

  // data-poll: the element becomes the one of its id in the answer. data-tail: new rows in front, changed ones in their place, 200 kept.
  const busy = box => box.contains(d.activeElement) && d.activeElement !== d.body || box.querySelector('details[open]');
  const watch = box => {
    const tail = box.dataset.tail, pause = Math.max(2, box.dataset.seconds || 5) * 1000;
    let faults = 0;
    const tick = async () => {
      try {
        if (!d.hidden && (tail || !busy(box))) {
          const first = box.querySelector('[data-id]');
          const page = await fragment(tail ? tail + (tail.includes('?') ? '&' : '?') + 'after=' + encodeURIComponent(first ? first.dataset.id : '') : box.dataset.poll);
          faults = 0;
          if (tail) {
            const known = new Map([...box.children].map(r => [r.dataset.id, r]));
            const fresh = [];
            page.querySelectorAll('tr[data-id]').forEach(r => {
              const old = known.get(r.dataset.id);
              if (!old) fresh.push(r);
              else if (old.innerHTML !== r.innerHTML && !old.contains(d.activeElement)) old.replaceWith(r);
              else return;
              r.classList.add('fresh');
            });
            box.prepend(...fresh);
            while (box.children.length > 200) box.lastElementChild.remove();
          } else {
            const next = page.getElementById(box.id);
            if (next && next.outerHTML !== box.outerHTML) {
              box.replaceWith(next);
              if (next.dataset.poll) watch(next);
              return;
            }
          }
        }
      } catch (e) { if (e === 401 || e === 403 || ++faults > 8) return; }
      setTimeout(tick, pause * 2 ** Math.min(faults, 5));
    };
    setTimeout(tick, pause);
  };
  d.querySelectorAll('[data-poll], [data-tail]').forEach(watch);

  // data-reads-into: a file's text goes into the field of this id, where it can be looked at before it is sent.
  d.querySelectorAll('[data-reads-into]').forEach(input => on('change', async () => {
    if (input.files[0]) d.getElementById(input.dataset.readsInto).value = await input.files[0].text();
  }, input));
})();
