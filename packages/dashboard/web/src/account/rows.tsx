/** Owns the tables of this page. On a narrow screen each row stands by itself, with the columns' names beside its cells. */
import type { ReactElement, ReactNode } from 'react';

export interface RowOf {
  readonly key: string;
  /** As many as there are columns. */
  readonly cells: readonly ReactNode[];
  /** What can be done about it. */
  readonly action: ReactNode;
}

export interface RowsProps {
  readonly columns: readonly string[];
  /** The last column's name, for those who hear it. */
  readonly action: string;
  readonly rows: readonly RowOf[];
}

/** With roles, which browsers take from tables that are laid out as blocks. */
export function Rows({ columns, action, rows }: RowsProps): ReactElement {
  return (
    <table className="rows" role="table">
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th scope="col" role="columnheader" key={column}>
              {column}
            </th>
          ))}
          <th scope="col" role="columnheader">
            <span className="visually-hidden">{action}</span>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr role="row" key={row.key}>
            {row.cells.map((cell, index) => (
              <td role="cell" data-column={columns[index]} key={columns[index]}>
                {cell}
              </td>
            ))}
            <td role="cell" className="action">
              {row.action}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
