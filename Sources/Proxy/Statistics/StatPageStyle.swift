/// The statistics page's look. Class names and colours of states are those that people know from HAProxy.
enum StatPageStyle {
  static let sheet: StaticString = """
    <style><!--
    :root { --text: black; --page: white; --line: gray; --head: #20d0d0; --name: #b00040; --plain: #e8e8d0;
     --socket: #d0d0d0; --down: #ff9090; --up: #c0ffc0; --none: #e0e0e0; --maint: #c07820; --blue: #20a0ff;
     --rising: #ffd020; --falling: #ffffa0; --bup: #b0d0ff; --brising: #ff80ff; --bfalling: #c060ff;
     --bnolb: #90b0e0; --bdrain: #cc9900; --tip: #f0f060; --link: #000080; }
    @media (prefers-color-scheme: dark) { :root { --text: #e8e6e3; --page: #131516; --line: #808080;
     --head: #147a7a; --name: #8d0033; --plain: #2f3437; --socket: #2a2d2f; --down: #760000; --up: #165900;
     --none: #2a2d2f; --maint: #9a601a; --blue: #006ab9; --rising: #b99200; --falling: #6c6c00;
     --bup: #2e3234; --brising: #7f007f; --bfalling: #580092; --bnolb: #1e3c6a; --bdrain: #a37a00;
     --tip: #5c5c08; --link: #80b0ff; } }
    body { font: 12px arial, helvetica, sans-serif; color: var(--text); background: var(--page); }
    h1, h2 { margin: 0 0 0.2em 0; } h2 { font-style: italic; color: #6020a0; }
    h3 { font-size: 16px; margin: 0; color: var(--name); background: var(--plain); }
    a { color: var(--link); } a.px { color: #ffff40; text-decoration: none; }
    a.lfsb { color: var(--text); text-decoration: none; }
    table.tbl { border-collapse: collapse; width: 100%; }
    table.tbl td, table.tbl th { border: 1px solid var(--line); padding: 2px 3px; font-size: 10px; }
    table.tbl td { text-align: right; white-space: nowrap; } table.tbl td.ac { text-align: center; }
    table.tbl th.pxname { background: var(--name); color: #ffff40; white-space: nowrap; width: 10%; }
    table.tbl th.empty { border: none; background: var(--page); }
    table.tbl th.desc { border-bottom: none; text-align: left; background: var(--page); }
    table.lgd td { border: 1px solid var(--line); padding: 2px; font-size: 10px; }
    table.lgd td.noborder { border: none; white-space: nowrap; }
    table.det th { border: none !important; text-align: left; padding: 0 1px 0 0; font-size: 11px; }
    table.det td { border: none !important; text-align: right; padding: 0 0 0 4px; font-size: 11px; }
    .titre { background: var(--head); text-align: center; }
    .frontend, .backend { background: var(--plain); } .socket { background: var(--socket); }
    .active_down, .backup_down { background: var(--down); }
    .active_up { background: var(--up); } .backup_up { background: var(--bup); }
    .active_going_up { background: var(--rising); } .backup_going_up { background: var(--brising); }
    .active_going_down { background: var(--falling); } .backup_going_down { background: var(--bfalling); }
    .active_nolb, .active_draining { background: var(--blue); }
    .backup_nolb { background: var(--bnolb); } .backup_draining { background: var(--bdrain); }
    .active_no_check, .backup_no_check { background: var(--none); } .maintain { background: var(--maint); }
    .rls { letter-spacing: 0.2em; margin-right: 1px; }
    u { text-decoration: none; border-bottom: 1px dotted var(--text); }
    div.tips { visibility: hidden; position: absolute; z-index: 9; padding: 2px 4px 3px; font-size: 11px;
     background: var(--tip); border: 1px solid #7040c0; border-radius: 3px; white-space: nowrap; }
    u:hover div.tips { visibility: visible; }
    --></style>

    """
}
