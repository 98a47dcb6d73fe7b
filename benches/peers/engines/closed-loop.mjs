// Keeps so many calls under way until all are answered, checks each answer, and tells how fast it went.

export async function closedLoop(name, cases, atOnce, call) {
  const times = [];
  let next = 0;
  const begun = performance.now();
  const caller = async () => {
    while (next < cases) {
      const number = next++;
      const asked = performance.now();
      const answer = await call(number);
      if (answer !== number + 5) throw new Error(`${name}: ${number} gave ${answer}`);
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  const seconds = (performance.now() - begun) / 1000;
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(2);
  const rate = Math.round(cases / seconds);
  console.log(`${name}\t${atOnce}\t${rate}\t${at(0.5)}\t${at(0.99)}`);
}
