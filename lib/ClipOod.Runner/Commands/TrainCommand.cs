using System.CommandLine;
using System.Diagnostics;
using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood train pictograms</c>: trains the tiny CLIP of the embedded world from scratch, measures it and puts it into its place.</summary>
internal sealed class TrainCommand : Command
{
    private readonly Option<string> _model = new("--model")
    {
        Description = "Name of the model, a folder in data/pictograms/models; the world uses base",
        HelpName = "NAME",
        DefaultValueFactory = _ => PictogramFolder.DefaultModel,
    };

    private readonly Option<string> _size = new Option<string>("--size")
    {
        Description = "Sizes of its towers",
        DefaultValueFactory = _ => "base",
    }.AcceptOnlyFromAmong([.. PictogramModelSize.Named.Keys]);

    private readonly Option<int> _steps = new("--steps")
    {
        Description = "Number of updates",
        DefaultValueFactory = _ => new PictogramTrainingOptions().Steps,
    };

    private readonly Option<int> _seed = new("--seed") { Description = "Of the first weights, the pictures and the captions" };

    private readonly Option<bool> _fresh = new("--fresh") { Description = "Start anew where an unfinished training would be resumed" };

    public TrainCommand()
        : base("train", "Train a model that this project ships")
    {
        Command pictograms = new("pictograms", "Train the tiny CLIP of the world pictograms from scratch; an interrupted training is resumed")
        {
            _model, _size, _steps, _seed, _fresh,
        };
        pictograms.SetAction(Train);
        Subcommands.Add(pictograms);
        Command noText = new("no-text", "Train the \"no\" text tower (CLIPN) of a model of the world pictograms")
        {
            _model, _seed,
        };
        noText.SetAction(TrainNoText);
        Subcommands.Add(noText);
    }

    private int TrainNoText(ParseResult parse)
    {
        WorkbookFolders folders = WorkbookFolders.Find();
        string model = parse.GetRequiredValue(_model);
        NoTextOptions options = new() { Seed = parse.GetValue(_seed) };
        TextWriter output = parse.InvocationConfiguration.Output;
        Stopwatch since = Stopwatch.StartNew();
        NoTextManifest manifest = PictogramModelMaker.MakeNoText(
            Path.Combine(folders.Root, "data", PictogramWorld.WorldName),
            model,
            Path.Combine(folders.Root, "artifacts", "cache"),
            options,
            $"clipood train no-text --model {model} --seed {options.Seed}",
            GitCommit(folders.Root),
            (step, losses) =>
            {
                if (step == 0 || since.Elapsed > TimeSpan.FromSeconds(5))
                {
                    since.Restart();
                    output.WriteLine(FormattableString.Invariant($"step {step + 1}: {losses}"));
                }
            });
        output.WriteLine(FormattableString.Invariant($"Wrote {NoTextManifest.WeightsFile} and {NoTextManifest.FileName} beside the model, in {manifest.Seconds:F0} s."));
        foreach ((string name, double auroc) in manifest.Auroc)
        {
            output.WriteLine(FormattableString.Invariant($"  AUROC {name}: {auroc:P1}"));
        }

        return ExitCodes.Passed;
    }

    private int Train(ParseResult parse)
    {
        WorkbookFolders folders = WorkbookFolders.Find();
        string pictograms = Path.Combine(folders.Root, "data", PictogramWorld.WorldName);
        string model = parse.GetRequiredValue(_model);
        if (model.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter != '-'))
        {
            throw new CommandException($"--model {model}: expected letters, digits and hyphens, as it is the name of a folder.");
        }

        PictogramTrainingOptions options = new()
        {
            Size = PictogramModelSize.Named[parse.GetRequiredValue(_size)],
            Steps = parse.GetValue(_steps) is > 0 and int steps ? steps : throw new CommandException("--steps must be at least 1."),
            Seed = parse.GetValue(_seed),
        };
        string work = Path.Combine(folders.Root, "artifacts", "train", model);
        if (parse.GetValue(_fresh) && Directory.Exists(work))
        {
            Directory.Delete(work, recursive: true);
        }

        TextWriter output = parse.InvocationConfiguration.Output;
        using CancellationTokenSource stop = new();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            stop.Cancel();
        };
        string command = $"clipood train pictograms --model {model} --size {parse.GetValue(_size)} --steps {options.Steps} --seed {options.Seed}";
        PictogramManifest manifest;
        try
        {
            manifest = PictogramModelMaker.Make(pictograms, model, options, work, command, GitCommit(folders.Root), new Lines(output), stop.Token);
        }
        catch (OperationCanceledException)
        {
            output.WriteLine($"Stopped; what was learned is in {work}. The same command goes on from there.");
            return ExitCodes.Cancelled;
        }

        string report = TrainingReport.Write(work, model, manifest);
        output.WriteLine(FormattableString.Invariant(
            $"Wrote {PictogramFolder.FolderOf(pictograms, model)}: {manifest.Parameters:N0} parameters, {manifest.Bytes / 1e6:F1} MB, trained in {manifest.Seconds / 60:F1} minutes."));
        output.WriteLine($"Open {report}");
        return ExitCodes.Passed;
    }

    /// <summary>The commit that the code is at, with + where files differ from it; "unknown" outside of git.</summary>
    private static string GitCommit(string root)
    {
        string? Git(params string[] arguments)
        {
            try
            {
                using Process process = Process.Start(new ProcessStartInfo("git", ["-C", root, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                string text = process.StandardOutput.ReadToEnd().Trim();
                process.WaitForExit();
                return process.ExitCode == 0 ? text : null;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return null; // there is no git
            }
        }

        return Git("rev-parse", "--short=12", "HEAD") is string commit
            ? commit + (Git("status", "--porcelain", "--untracked-files=no", "--", "lib", "data/pictograms/concepts") is { Length: > 0 } ? "+" : "")
            : "unknown";
    }

    // A line for each measurement, and one now and then between them.
    private sealed class Lines(TextWriter output) : IProgress<PictogramProgress>
    {
        private readonly Stopwatch _since = Stopwatch.StartNew();

        public void Report(PictogramProgress value)
        {
            if (value.Measurement is null && _since.Elapsed < TimeSpan.FromSeconds(10))
            {
                return;
            }

            _since.Restart();
            string measured = value.Measurement is { } m
                ? FormattableString.Invariant($"  measured: loss {m.Loss:F3}, zero-shot {m.AccuracyA:P1} on A, {m.AccuracyAll:P1} on all, logit scale {m.LogitScale:F1}")
                : "";
            output.WriteLine(FormattableString.Invariant(
                $"step {value.Step} of {value.Steps}, loss {value.Loss:F3}, {value.PicturesPerSecond:F0} pictures/s, {value.Left:hh\\:mm\\:ss} left{measured}"));
        }
    }
}
