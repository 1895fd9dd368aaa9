using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ClipOod.Runner.Downloading;
using Spectre.Console;

namespace ClipOod.Runner.Commands;

/// <summary>Shows how far files are, at which rate, and how long they still take: bars on a terminal, else a line now and then.</summary>
internal sealed class TransferDisplay(IAnsiConsole console)
{
    private static readonly TimeSpan _between = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, FileProgress> _files = new(StringComparer.Ordinal);

    /// <summary>Shows a transfer while it goes on.</summary>
    /// <param name="work">Does it, and asks for a progress by the name of each file that it begins.</param>
    public async Task ShowAsync(Func<Func<string, FileProgress>, Task> work)
    {
        Task running = work(name => _files.GetOrAdd(name, _ => new FileProgress()));
        if (console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
        {
            await ShowBarsAsync(running);
        }
        else
        {
            await ShowLinesAsync(running);
        }

        await running;
    }

    private Task ShowBarsAsync(Task running) => console.Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
        .StartAsync(async context =>
        {
            Dictionary<string, ProgressTask> bars = new(StringComparer.Ordinal);
            while (!running.IsCompleted)
            {
                foreach ((string name, FileProgress file) in _files.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    if (!bars.TryGetValue(name, out ProgressTask? bar))
                    {
                        bars.Add(name, bar = context.AddTask(Markup.Escape(name)));
                    }

                    (bar.MaxValue, bar.Value) = (Math.Max(file.Total ?? file.Done + 1, 1), file.Done);
                    bar.Description = Markup.Escape(file.Waits is string waits ? $"{name} ({waits})" : name);
                }

                await Task.WhenAny(running, Task.Delay(200));
            }
        });

    private async Task ShowLinesAsync(Task running)
    {
        Stopwatch since = Stopwatch.StartNew();
        long before = 0;
        while (await Task.WhenAny(running, Task.Delay(_between)) != running)
        {
            (long done, long total) = (_files.Values.Sum(file => file.Done), _files.Values.Sum(file => file.Total ?? file.Done));
            double rate = Math.Max(0, (done - before) / since.Elapsed.TotalSeconds);
            before = done;
            since.Restart();
            string left = rate > 0 ? TimeSpan.FromSeconds(Math.Min((total - done) / rate, 1e6)).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture) : "unknown";
            string waits = string.Concat(_files.Where(pair => pair.Value.Waits is not null).Select(pair => $"; {pair.Key}: {pair.Value.Waits}"));
            console.WriteLine($"{Sources.Size(done)} of {Sources.Size(total)}, {Sources.Size((long)rate)}/s, {left} left{waits}");
        }
    }
}
