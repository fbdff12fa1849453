import { openItemsIn, createItems, addItems } from './src/search/stores.ts'
import { metricsByName } from './src/metrics/by-name.ts'
import { rmSync } from 'node:fs'
const metric = metricsByName.get('chord')!, n = 1_000_000, d = 128, compute = {}
const [store] = process.argv.slice(2) as ['exact'|'lancedb']
const path = '/tmp/ixtry/big.'+store
const rss = () => (process.memoryUsage().rss/2**20).toFixed(0)
let peak=0; const timer=setInterval(()=>{peak=Math.max(peak,process.memoryUsage().rss)},20)
async function* items() { for (let s=0;s<n;s+=2048) { const c=Math.min(2048,n-s); const v=new Float32Array(c*d); for(let r=0;r<c;r++){let l=0;for(let i=0;i<d;i++){const x=Math.random()-.5;v[r*d+i]=x;l+=x*x};l=Math.sqrt(l);for(let i=0;i<d;i++)v[r*d+i]!/=l}; yield {vectors:v, entries:Array.from({length:c},(_, i)=>({item:'item '+(s+i), label:null, metadata:{year:2000+(s+i)%20}}))}} }
if (process.argv[3]==='make') { rmSync(path,{recursive:true,force:true}); const t=Date.now(); await createItems(path,{model:'m',metric:'chord',dimension:d},items(),{store,metric,compute}); clearInterval(timer); console.log(store,'made',(Date.now()-t)/1000,'s, peak',(peak/2**20).toFixed(0),'MiB') }
else { const base=+rss(); let t=Date.now(); const ix=await openItemsIn(path,metric,compute,console.warn); console.log(store,'open',(Date.now()-t)/1000,'s, rss',base,'→',rss()); 
for (const where of [undefined, undefined, 'year = 2003', 'year = 2003', 'year < 2015']) { t=Date.now(); const q={dtype:'float32',shape:[1,d],data:Float32Array.from({length:d},()=>Math.random()-.5)} as const; const f=await ix.nearest(q,{k:10,where}); console.log(where,(Date.now()-t),'ms', f[0]!.length,'rss',rss(),'peak',(peak/2**20).toFixed(0)) }
await ix.release(); clearInterval(timer); console.log('vectors are', n*d*4/2**20,'MiB, base',base,'peak',(peak/2**20).toFixed(0)) }
