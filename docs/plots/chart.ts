/** Line charts side by side, as an SVG file. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { init } from 'echarts'

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly color: string
  readonly dashed?: boolean
}

/** A part of the plane that is filled, as a closed outline. */
export interface Region {
  readonly name: string
  readonly outline: readonly (readonly [x: number, y: number])[]
  readonly color: string
}

export interface Panel {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines?: readonly Line[]
  readonly regions?: readonly Region[]
}

export interface Axis {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly every?: number
  /** The base of a logarithmic axis. */
  readonly base?: number
}

/** Told apart by people who do not see red and green apart, too: Okabe and Ito's colours. */
export const colors = {
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#009e73',
  pink: '#cc79a7',
  sky: '#56b4e9',
  grey: '#6b7280',
} as const

const folder = join(import.meta.dirname, '..', 'images')
const [PANEL, HEIGHT, LEFT, TOP, BOTTOM, GAP] = [430, 392, 62, 48, 104, 24]

export async function draw(file: string, panels: readonly Panel[]): Promise<void> {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: PANEL * panels.length, height: HEIGHT })
  const text = { color: '#1f2937', fontFamily: 'sans-serif' }
  const axis = (panel: Axis, i: number, vertical: boolean) => ({
    ...(panel.base ? { type: 'log' as const, logBase: panel.base } : { type: 'value' as const }),
    gridIndex: i,
    name: panel.name,
    nameLocation: 'middle' as const,
    nameGap: vertical ? 40 : 28,
    nameTextStyle: { ...text, fontSize: 13 },
    min: panel.from,
    max: panel.to,
    ...(panel.every && { interval: panel.every }),
    axisLabel: { ...text, fontSize: 12 },
    axisLine: { show: true, onZero: false, lineStyle: { color: '#9ca3af' } },
    splitLine: { lineStyle: { color: '#e5e7eb' } },
  })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: text,
    title: panels.map(({ title }, i) => ({
      text: title,
      left: i * PANEL + LEFT,
      top: 12,
      textStyle: { ...text, fontSize: 14, fontWeight: 'bold' as const },
    })),
    legend: panels.map(({ lines = [], regions = [] }, i) => ({
      data: [...lines, ...regions].map(({ name }) => ({ name: `${i}${name}`, icon: 'roundRect' })),
      formatter: (name: string) => name.slice(1),
      left: i * PANEL + LEFT - 8,
      bottom: 4,
      width: PANEL - LEFT - GAP + 8,
      itemWidth: 18,
      itemHeight: 4,
      itemGap: 12,
      textStyle: { ...text, fontSize: 12 },
    })),
    grid: panels.map((_, i) => ({
      left: i * PANEL + LEFT,
      top: TOP,
      width: PANEL - LEFT - GAP,
      height: HEIGHT - TOP - BOTTOM,
    })),
    xAxis: panels.map(({ x }, i) => axis(x, i, false)),
    yAxis: panels.map(({ y }, i) => axis(y, i, true)),
    series: panels.flatMap(({ lines = [], regions = [] }, i) => [
      ...regions.map(({ name, outline, color }) => ({
        type: 'custom' as const,
        name: `${i}${name}`,
        xAxisIndex: i,
        yAxisIndex: i,
        itemStyle: { color },
        data: [[...outline[0]!]],
        renderItem: (_: unknown, api: { coord: (point: readonly number[]) => number[] }) => ({
          type: 'polygon' as const,
          shape: { points: outline.map((point) => api.coord(point)) },
          style: { fill: color },
        }),
      })),
      ...lines.map(({ name, points, color, dashed }) => ({
        type: 'line' as const,
        name: `${i}${name}`,
        xAxisIndex: i,
        yAxisIndex: i,
        showSymbol: false,
        clip: true,
        itemStyle: { color },
        lineStyle: { color, width: 2.2, type: dashed ? ('dashed' as const) : ('solid' as const) },
        data: points.map((point) => [...point]),
      })),
    ]),
  } as Parameters<typeof chart.setOption>[0])
  await writeFile(join(folder, `${file}.svg`), `${chart.renderToSVGString()}\n`)
  chart.dispose()
}
