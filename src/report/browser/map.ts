/** The map: a point for each item, which shows what it is and lets its class stand out. */
import type { EChartsCoreOption } from 'echarts/core'
import type { MapPoint } from '../contents.ts'
import type { Colors } from './colors.ts'

interface Map {
  readonly classes: readonly string[]
  readonly points: readonly MapPoint[]
}

export function mapOption(color: Colors, { classes, points }: Map): EChartsCoreOption {
  const labels = [...new Set(points.map(({ label }) => label))].sort((a, b) => a - b)
  const [xs, ys] = [points.map(({ place }) => place[0]), points.map(({ place }) => place[1])]
  const range = (values: readonly number[]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)]
    const margin = 0.04 * (high - low) || 1
    return { type: 'value', show: false, min: low - margin, max: high + margin }
  }
  return {
    animation: false,
    grid: { left: 4, right: 4, top: 4, bottom: 4 },
    xAxis: range(xs),
    yAxis: range(ys),
    dataZoom: [
      { type: 'inside', xAxisIndex: 0, filterMode: 'none', zoomOnMouseWheel: true },
      { type: 'inside', yAxisIndex: 0, filterMode: 'none', zoomOnMouseWheel: true },
    ],
    tooltip: {
      trigger: 'item',
      confine: true,
      transitionDuration: 0,
      backgroundColor: color.card,
      borderColor: color.line,
      textStyle: { color: color.ink },
      formatter: ({ data }: { data: { point: MapPoint } }) => tip(data.point, classes),
    },
    series: labels.map((label, i) => ({
      type: 'scatter',
      name: classes[label] ?? 'no class',
      color: toneOf(i, labels.length, color.dark),
      symbolSize: points.length > 400 ? 8 : 11,
      itemStyle: { opacity: 0.85 },
      emphasis: { focus: 'series', scale: 1.6, itemStyle: { opacity: 1 } },
      blur: { itemStyle: { opacity: 0.12 } },
      data: points
        .filter((point) => point.label === label)
        .map((point) => ({ value: point.place, point, symbol: point.right === false ? cross : 'circle' })),
    })),
  }
}

const cross = 'path://M2 0 L5 3 L8 0 L10 2 L7 5 L10 8 L8 10 L5 7 L2 10 L0 8 L3 5 L0 2 Z'

/** Hues as far apart as they can be, each a golden angle from the last, in two lightnesses. */
function toneOf(i: number, count: number, dark: boolean): string {
  if (count === 1) return `hsl(215, 70%, ${dark ? 66 : 42}%)`
  return `hsl(${Math.round((i * 137.508 + 210) % 360)}, ${dark ? 70 : 62}%, ${(dark ? 64 : 42) + (i % 2) * 9}%)`
}

/** Made of elements, so that names are text whatever is in them. */
function tip({ picture, label, name, right }: MapPoint, classes: readonly string[]): HTMLElement {
  const box = document.createElement('div')
  box.className = 'tip'
  if (picture) {
    const image = document.createElement('img')
    image.src = picture
    image.alt = ''
    image.className = 'small'
    box.append(image)
  }
  const add = (tag: string, text: string) => {
    const element = document.createElement(tag)
    element.textContent = text
    box.append(element)
  }
  add('b', classes[label] ?? 'no class')
  add('span', name)
  if (right === false) add('span', 'its nearest neighbour is of another class')
  return box
}
