using System.CommandLine;
using System.Diagnostics;
using ClipOod.Clip;
using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood encode</c>: features of images and class names by a real model, as the worlds of real models open them.</summary>
internal sealed class EncodeCommand : Command
{
    private const int FailuresShown = 10;

    private readonly Option<string> _model = new("--model")
    {
        Description = "A fetched model, such as openai-vit-b-32, or a file or folder of CLIP weights",
        HelpName = "MODEL",
        Required = true,
    };

    private readonly Option<string[]> _data = new("--data")
    {
        Description = "A fetched data set, such as cifar10, or a folder with a folder of images for each class; may be repeated",
        HelpName = "DATA",
        Required = true,
    };

    private readonly Option<string> _split = new("--split")
    {
        Description = "Only this part: an official split, or a subfolder [default: those that worlds take, or the whole folder]",
        HelpName = "SPLIT",
    };

    private readonly Option<string> _name = new("--name")
    {
        Description = "Name of the files to write [default: the name of the data set or folder]",
        HelpName = "NAME",
    };

    private readonly Option<bool> _pooled = new("--before-projection") { Description = "Keep also the features before the projection, which PLP learns on" };

    private readonly Option<bool> _patches = new("--patches") { Description = "Keep also a feature of each patch, in a file of its own and in half precision" };

    private readonly Option<string> _shard = new("--shard")
    {
        Description = "Encode only this part of the images, such as 2/4; clipood merge makes one file of all",
        HelpName = "I/N",
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Folder of the feature sets [default: where the world of the model looks for them]",
        HelpName = "FOLDER",
    };

    private readonly Option<string> _precision = new("--precision")
    {
        Description = "fp32, or int8: products in 8 bits, faster on processors with VNNI, in a world of its own",
        DefaultValueFactory = _ => "fp32",
        HelpName = "PRECISION",
    };

    public EncodeCommand()
        : base("encode", "Encode images and class names with a CLIP model; a killed encoding goes on where it was")
    {
        foreach (Option option in new Option[] { _model, _data, _split, _name, _pooled, _patches, _shard, _precision, _output })
        {
            Options.Add(option);
        }

        SetAction(Run);
    }

    private Task<int> Run(ParseResult parse, CancellationToken cancellation)
    {
        TextWriter output = parse.InvocationConfiguration.Output;
        string[] data = parse.GetRequiredValue(_data);
        string? name = parse.GetValue(_name);
        if (name is not null && (data.Length > 1 || name.Length == 0 || name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.'))))
        {
            throw new CommandException($"--name {name}: expected letters, digits, hyphens, points and underscores, and one --data.");
        }

        EncodingShard? shard = parse.GetValue(_shard) is not string text ? null
            : EncodingShard.TryParse(text) ?? throw new CommandException($"--shard {text}: expected I/N with I from 1 to N, such as 2/4.");
        ClipPrecision precision = parse.GetValue(_precision) switch
        {
            "fp32" => ClipPrecision.Single,
            "int8" => ClipPrecision.Int8,
            string other => throw new CommandException($"--precision {other}: expected fp32 or int8."),
            null => ClipPrecision.Single,
        };
        string model = parse.GetRequiredValue(_model);
        string modelName = LocalModels.NameOf(model);

        // Data sets before the model, which takes longer to load than a misspelt name to find.
        (string Data, ImageSource Source)[] sources =
        [
            .. from set in data
               from split in parse.GetValue(_split) is string one ? [one] : LocalImages.SplitsOf(set)
               select (set, Open(set, split, name)),
        ];
        string folder = Path.GetFullPath(parse.GetValue(_output) ?? LocalData.Features(EncodedWorld.NameOf(modelName, precision)));
        using ClipModel loaded = LocalModels.Load(model);
        loaded.Precision = precision;
        ClipImageOutputs outputs = ClipImageOutputs.Embedding
            | (parse.GetValue(_pooled) ? ClipImageOutputs.Pooled : 0)
            | (parse.GetValue(_patches) ? ClipImageOutputs.Patches : 0);
        EncodedSets.RequireOneModel(folder, loaded.ModelHash, loaded.PrecisionName, loaded.Width);
        if (Path.Exists(model))
        {
            EncodedSets.WritePath(folder, EncodedSets.ModelPath, model);
        }

        try
        {
            foreach ((string set, ImageSource source) in sources)
            {
                EncodingJob job = new(loaded, modelName, source, name ?? LocalImages.NameOf(set), outputs, folder);
                if (Directory.Exists(set))
                {
                    EncodedSets.WritePath(folder, Path.GetFileNameWithoutExtension(job.Target), set);
                }

                Encode(job, shard, output, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            output.WriteLine($"Stopped; what was encoded is kept in {folder}. The same command goes on from there.");
            return Task.FromResult(ExitCodes.Cancelled);
        }

        if (shard is null or { Index: 1 })
        {
            WriteTexts(loaded, modelName, [.. sources.Select(entry => (name ?? LocalImages.NameOf(entry.Data), entry.Source.Classes)).DistinctBy(entry => entry.Item1)], folder, output);
        }

        return Task.FromResult(ExitCodes.Passed);
    }

    private static ImageSource Open(string data, string split, string? name)
    {
        try
        {
            return LocalImages.Open(data, split, name);
        }
        catch (ArgumentException error)
        {
            throw new CommandException(error.Message);
        }
    }

    private static void Encode(EncodingJob job, EncodingShard? shard, TextWriter output, CancellationToken cancellation)
    {
        string what = $"{job.Plan.Dataset} {job.Plan.Split}";
        string parts = Path.ChangeExtension(job.Target, EncodedChunks.Ending);
        if (job.IsDone())
        {
            output.WriteLine($"{what}: {job.Target} is there already.");
        }
        else
        {
            Stopwatch clock = Stopwatch.StartNew();
            Lines lines = new(output, $"{what}{(shard is null ? "" : $", shard {shard}")}");
            EncodedChunks chunks = job.Run(shard ?? EncodingShard.All, lines, cancellation);
            output.WriteLine(FormattableString.Invariant($"{what}: {lines.Done:N0} images encoded in {clock.Elapsed.TotalSeconds:F1} s, {lines.Done / clock.Elapsed.TotalSeconds:F1} a second."));
            if (shard is not null)
            {
                output.WriteLine($"Shard {shard} is whole, in {chunks.Folder}. When all {shard.Count} are: clipood merge FOLDER...");
                return;
            }

            Report(EncodedSets.Merge([chunks], job.Target, out _), output);
            output.WriteLine($"Wrote {job.Target}");
        }

        if (shard is null && Directory.Exists(parts))
        {
            Directory.Delete(parts, recursive: true);
        }
    }

    private static void WriteTexts(ClipModel model, string modelName, IReadOnlyList<(string Name, IReadOnlyList<string> Classes)> sets, string folder, TextWriter output)
    {
        if (model.Tokenizer is null)
        {
            output.WriteLine("No class names were encoded: the model has no tokenizer. Put tokenizer.json, vocab.json with merges.txt, or bpe_simple_vocab_16e6.txt.gz beside its weights and run this again.");
            return;
        }

        foreach ((string name, IReadOnlyList<string> classes) in sets.Append((EncodedWorld.Words, EncodedWorld.WordsHere())))
        {
            if ((name != EncodedWorld.Words || !File.Exists(EncodedTexts.PathOf(folder, name))) && EncodedTexts.Write(model, modelName, name, classes, folder))
            {
                output.WriteLine($"Wrote {EncodedTexts.PathOf(folder, name)}");
            }
        }
    }

    /// <summary>Says which images were left out.</summary>
    internal static void Report(IReadOnlyList<FailedImage> failures, TextWriter output)
    {
        if (failures.Count == 0)
        {
            return;
        }

        output.WriteLine(FormattableString.Invariant($"{failures.Count:N0} images could not be read and are left out:"));
        foreach (FailedImage failure in failures.Take(FailuresShown))
        {
            output.WriteLine($"  {failure.Name}: {failure.Message}");
        }

        if (failures.Count > FailuresShown)
        {
            output.WriteLine($"  … and {failures.Count - FailuresShown} more; the file's metadata 'failures' list all.");
        }
    }

    // A line now and then: on a cluster it goes to a log.
    private sealed class Lines(TextWriter output, string what) : IProgress<ClipProgress>
    {
        private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);
        private readonly Stopwatch _since = Stopwatch.StartNew();

        public int Done { get; private set; }

        public void Report(ClipProgress value)
        {
            Done = value.Done;
            if (_since.Elapsed >= _pause)
            {
                _since.Restart();
                output.WriteLine($"{what}: {value}");
            }
        }
    }
}
