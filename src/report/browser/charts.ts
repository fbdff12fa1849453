/** Draws the charts of a report, in the colours of the page, and again when those change. */
import { LineChart, ScatterChart } from 'echarts/charts'
import {
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
} from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { Figures } from '../contents.ts'
import type { History } from '../history.ts'
import { type Colors, colors } from './colors.ts'
import { mapOption } from './map.ts'

use([
  LineChart,
  ScatterChart,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  SVGRenderer,
])

interface Data {
  readonly metric: string
  readonly history: History
  readonly verification?: Figures['verification']
  readonly map?: Figures['map']
}

type Verified = NonNullable<Figures['verification']>

const data = JSON.parse(document.getElementById('data')!.textContent!) as Data

function axis(name: string, { soft, line }: Colors, more: object = {}) {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: 30,
    nameTextStyle: { color: soft, fontSize: 12 },
    axisLabel: { color: soft, fontSize: 11, hideOverlap: true },
    axisLine: { show: true, onZero: false, lineStyle: { color: line } },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: line } },
    ...more,
  }
}

function plane(color: Colors, x: string, y: string, lines: readonly object[], more: { x?: object; y?: object } = {}) {
  return {
    animation: false,
    grid: { left: 52, right: 16, top: 36, bottom: 46 },
    legend: { top: 0, left: 0, itemWidth: 18, itemHeight: 8, textStyle: { color: color.ink, fontSize: 12 } },
    tooltip: {
      trigger: 'axis',
      backgroundColor: color.card,
      borderColor: color.line,
      textStyle: { color: color.ink, fontSize: 12 },
      valueFormatter: (value: unknown) => (typeof value === 'number' ? value.toPrecision(3) : '–'),
    },
    xAxis: axis(x, color, { splitLine: { show: false }, ...more.x }),
    yAxis: axis(y, color, { nameGap: 38, scale: true, ...more.y }),
    series: lines.map((line) => ({ type: 'line', showSymbol: false, ...line })),
  }
}

function loss(color: Colors): EChartsCoreOption {
  const { step, loss: values } = data.history
  const points = step.map((x, i) => [x, values[i]])
  const line = { name: 'loss', color: color.accent, lineStyle: { width: 2 }, data: points }
  return { ...plane(color, 'step', '', [line], { x: { max: 'dataMax' } }), legend: { show: false } }
}

function distances(color: Colors): EChartsCoreOption {
  const { step, positiveDistance, negativeDistance } = data.history
  const line = (name: string, tone: string, values: readonly (number | null)[]) => ({
    name,
    color: tone,
    lineStyle: { width: 2 },
    data: step.map((x, i) => [x, values[i]]),
  })
  const lines = [line('positives', color.right, positiveDistance), line('negatives', color.wrong, negativeDistance)]
  return plane(color, 'step', '', lines, { x: { max: 'dataMax' } })
}

function histogram(
  color: Colors,
  { histogram: { edges, same, different }, marked, pairs }: Verified,
): EChartsCoreOption {
  const line = (name: string, tone: string, counts: readonly number[], total: number) => ({
    name,
    color: tone,
    step: 'end',
    lineStyle: { width: 1.5 },
    areaStyle: { opacity: 0.25 },
    data: edges.map((edge, i) => [edge, (100 * counts[Math.max(0, i - 1)]!) / total]),
  })
  const mark = {
    symbol: 'none',
    silent: true,
    lineStyle: { color: color.ink, type: 'dashed', width: 1.5 },
    label: { color: color.ink, formatter: `threshold ${marked.distance.toFixed(3)}`, fontSize: 11 },
    data: [{ xAxis: marked.distance }],
  }
  const lines = [
    { ...line('same class', color.right, same, pairs.same), markLine: mark },
    line('different class', color.wrong, different, pairs.different),
  ]
  const option = plane(color, `${data.metric} distance`, '% of pairs', lines, {
    x: {
      min: edges[0],
      max: edges.at(-1),
      axisLabel: {
        color: color.soft,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (x: number) => x.toPrecision(2),
      },
    },
    y: { min: 0 },
  })
  return { ...option, grid: { ...option.grid, top: 52 } }
}

function roc(color: Colors, { roc: { falsePositiveRate, truePositiveRate } }: Verified): EChartsCoreOption {
  const lines = [
    {
      name: 'this model',
      color: color.accent,
      lineStyle: { width: 2 },
      areaStyle: { opacity: 0.12 },
      data: falsePositiveRate.map((x, i) => [x, truePositiveRate[i]]),
    },
    {
      name: 'chance',
      color: color.soft,
      lineStyle: { width: 1.2, type: 'dashed' },
      data: [
        [0, 0],
        [1, 1],
      ],
    },
  ]
  const whole = { min: 0, max: 1 }
  return plane(color, 'different pairs taken for the same', 'same pairs found', lines, { x: whole, y: whole })
}

const { verification, map } = data
const drawings: Record<string, ((color: Colors) => EChartsCoreOption) | undefined> = {
  map: map && ((color) => mapOption(color, map)),
  histogram: verification && ((color) => histogram(color, verification)),
  roc: verification && ((color) => roc(color, verification)),
  loss,
  distances,
}

for (const [id, option] of Object.entries(drawings)) {
  const element = document.getElementById(id)
  if (!element || !option) continue
  const chart = init(element, null, { renderer: 'svg' })
  const draw = () => chart.setOption(option(colors()), { notMerge: true })
  draw()
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
  new ResizeObserver(() => chart.resize()).observe(element)
}
