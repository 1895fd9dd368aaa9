using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ClipOod.Clip;
using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood detect</c>: which of new images show none of the known classes.</summary>
internal sealed class DetectCommand : Command
{
    private const string Stream = "-";

    private readonly Option<string> _known = new("--known") { Description = "Folder of known images, a subfolder per class", HelpName = "FOLDER" };

    private readonly Option<string> _with = new("--with") { Description = "A saved detector, in place of --known", HelpName = "FILE" };

    private readonly Option<string> _new = new("--new") { Description = "Images to judge: a folder, a file, or - for file names on standard input, a line each", HelpName = "PATH" };

    private readonly Option<string> _model = new("--model")
    {
        Description = $"{ResNet18Encoder.ModelName}, a fetched model such as openai-vit-b-32, or a file or folder of CLIP weights [default: fetched CLIP weights, else {ResNet18Encoder.ModelName}]",
        HelpName = "MODEL",
    };

    private readonly Option<string> _prompt = new("--prompt")
    {
        Description = "The sentence for the names of the classes, where the model reads text",
        HelpName = "TEXT",
        DefaultValueFactory = _ => NoveltyOptions.DefaultPrompt,
    };

    private readonly Option<string> _words = new("--words") { Description = "Words that may name strangers, a line each, where the model reads text", HelpName = "FILE" };

    private readonly Option<double> _rate = BoundedOption.Of(
        "--fdr", "RATE", "Share of known images that the list of new ones may hold", 0.1, rate => rate > 0 && rate < 1, "above 0 and below 1");

    private readonly Option<string> _truth = new("--truth") { Description = "CSV with columns file and truth (known or new): also say how good the verdicts are", HelpName = "FILE" };

    private readonly Option<bool> _periods = new("--periods") { Description = "The subfolders of --new are weeks or the like, sorted by name: compare each with the first" };

    private readonly Option<string> _csv = new("--csv") { Description = "Also write a row per image as CSV", HelpName = "FILE" };

    private readonly Option<string> _json = new("--json") { Description = "Also write everything as JSON", HelpName = "FILE" };

    private readonly Option<string> _html = new("--html") { Description = "Also write a page with small pictures", HelpName = "FILE" };

    private readonly Option<bool> _noPictures = new("--no-pictures") { Description = "Write no pictures, and no path beyond the folders given" };

    private readonly Option<string> _save = new("--save") { Description = "Save the detector for --with", HelpName = "FILE" };

    private readonly Option<bool> _withoutFeatures = new("--without-features") { Description = "Keep class statistics only, no feature of a known image" };

    private readonly Option<string[]> _add = new("--add") { Description = "Add a class to a saved detector; may be repeated", HelpName = "NAME=FOLDER" };

    private readonly Option<string[]> _remove = new("--remove") { Description = "Remove a class from a saved detector; may be repeated", HelpName = "NAME" };

    private readonly Option<int> _seed = new("--seed") { Description = "Of the folds that held-out scores come from", HelpName = "N", DefaultValueFactory = _ => 0 };

    public DetectCommand()
        : base("detect", "Say which images show none of the classes that you have images of")
    {
        foreach (Option option in new Option[]
        {
            _known, _with, _new, _model, _prompt, _words, _rate, _truth, _periods, _csv, _json, _html, _noPictures, _save, _withoutFeatures, _add, _remove, _seed,
        })
        {
            Options.Add(option);
        }

        SetAction(Detect);
    }

    private int Detect(ParseResult parse)
    {
        RequireSense(parse);
        try
        {
            return Run(parse);
        }
        catch (NoveltyException error)
        {
            throw new CommandException(error.Message);
        }
    }

    private int Run(ParseResult parse)
    {
        TextWriter error = parse.InvocationConfiguration.Error;

        // What a stream gives is for the next program, so that all else goes another way.
        TextWriter output = parse.GetValue(_new) == Stream ? error : parse.InvocationConfiguration.Output;
        NoveltyDetector? saved = parse.GetValue(_with) is string file ? NoveltyDetector.Load(file) : null;
        ImageFolder? known = parse.GetValue(_known) is string folder ? ImageFolder.Open(folder) : null;
        ImageFolder? arriving = parse.GetValue(_new) is not string place || place == Stream ? null
            : parse.GetValue(_periods) ? ImageFolder.Open(place) : ImageFolder.OpenUnsorted(place);
        Truth? truth = parse.GetValue(_truth) is string sides ? Truth.Read(sides) : null;
        if (known is not null)
        {
            output.WriteLine($"Known: {known}");
            arriving = arriving?.WithoutCopiesOf(known);
        }

        if (arriving is not null)
        {
            output.WriteLine($"New: {arriving}");
        }

        bool encodes = known is not null || parse.GetValue(_new) is not null || parse.GetValue(_add) is { Length: > 0 };
        using PhotoModel? model = encodes ? OpenModel(parse, saved, output) : null;
        saved?.RequireModel(model?.Encoder.ModelHash ?? saved.Options.ModelHash);
        Encoding encoding = new(model, error);
        EncodedFolder? knownImages = known is null ? null : encoding.Encode(known, "known images", output);
        NoveltyDetector detector = saved ?? Fit(parse, model!, known!, knownImages!);
        detector = Changed(parse, detector, encoding, output);
        if (parse.GetValue(_save) is string target)
        {
            NoveltyDetector kept = parse.GetValue(_withoutFeatures) ? detector.WithoutFeatures() : detector;
            kept.Save(target);
            output.WriteLine($"Saved {target}. It holds {(kept.Known is null ? "class statistics of" : "features and file names of")} the known images.");
        }

        output.WriteLine(detector.Explain());
        if (detector.Forgotten.Count > 0)
        {
            output.WriteLine(detector.SelfTestTable());
        }

        if (parse.GetValue(_new) == Stream)
        {
            JudgeStream(detector, encoding, parse.GetValue(_rate), parse.InvocationConfiguration.Output, error);
        }
        else if (arriving is not null)
        {
            EncodedFolder images = encoding.Encode(arriving, "new images", output);
            var found = new DetectResult(detector, detector.Judge(images.Set.Features, parse.GetValue(_rate)), images, [.. images.Files.Select(arriving.NameOf)], arriving.LeftOut)
            {
                Known = knownImages,
                Periods = parse.GetValue(_periods),
                Truth = truth,
            };
            found.Print(output);
            foreach ((Option<string> option, Func<string> text) in ((Option<string>, Func<string>)[])
                [(_csv, found.ToCsv), (_json, found.ToJson), (_html, () => found.ToPage(pictures: !parse.GetValue(_noPictures)))])
            {
                OutputFile.Write(parse.GetValue(option), text, output);
            }
        }

        return ExitCodes.Passed;
    }

    private void RequireSense(ParseResult parse)
    {
        bool known = parse.GetValue(_known) is not null, with = parse.GetValue(_with) is not null, stream = parse.GetValue(_new) == Stream;
        bool changes = parse.GetValue(_add) is { Length: > 0 } || parse.GetValue(_remove) is { Length: > 0 };
        string? problem =
            known == with ? "Give either --known FOLDER with your known images, a subfolder per class, or --with FILE, a saved detector."
            : parse.GetValue(_new) is null && parse.GetValue(_save) is null ? "Nothing to do: give --new with images to judge, --save FILE to keep the detector, or both."
            : changes && !with ? "--add and --remove change a saved detector: give it with --with FILE. A new one takes its classes from --known."
            : parse.GetValue(_withoutFeatures) && parse.GetValue(_save) is null ? "--without-features says what --save keeps: give --save FILE too."
            : stream && new[] { _csv, _json, _html, _truth }.Any(option => parse.GetValue(option) is not null) ? "A stream is printed line by line, for whoever comes next: --csv, --json, --html and --truth need a folder."
            : parse.GetValue(_periods) && (parse.GetValue(_new) is null || stream) ? "--periods needs --new FOLDER with a subfolder per period."
            : parse.GetValue(_prompt) is not string prompt || !prompt.Contains("{}", StringComparison.Ordinal) ? $"--prompt '{parse.GetValue(_prompt)}' has no place for a class name, expected {{}} in it, as in 'a photo of a {{}}.'."
            : null;
        if (problem is not null)
        {
            throw new CommandException(problem);
        }

        OutputFile.Require(
            [("--csv", parse.GetValue(_csv)), ("--json", parse.GetValue(_json)), ("--html", parse.GetValue(_html)), ("--save", parse.GetValue(_save))],
            [.. new[] { parse.GetValue(_truth), parse.GetValue(_words) }.OfType<string>()]);
    }

    /// <summary>The model that was asked for, that of a saved detector, or the best one that is here.</summary>
    private PhotoModel OpenModel(ParseResult parse, NoveltyDetector? saved, TextWriter output)
    {
        string? asked = parse.GetValue(_model), of = saved?.Options.Model;
        if (asked is null && of is not null && of != ResNet18Encoder.ModelName && SourceCatalog.Find(of) is null)
        {
            throw new CommandException($"The detector is of the model {of}, which is none of the catalogue: give its file or folder with --model.");
        }

        PhotoModel model = PhotoModel.Open(asked ?? of);
        output.WriteLine(model.Reason);
        return model;
    }

    private NoveltyDetector Fit(ParseResult parse, PhotoModel model, ImageFolder known, EncodedFolder images)
    {
        string[]? words = parse.GetValue(_words) is string file
            ? [.. File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0).Distinct()]
            : null;
        return NoveltyDetector.Fit(
            images.Set, NoveltyOptions.Of(model, known, images, words, parse.GetRequiredValue(_prompt)) with { Seed = parse.GetValue(_seed) });
    }

    private NoveltyDetector Changed(ParseResult parse, NoveltyDetector detector, Encoding encoding, TextWriter output)
    {
        foreach (string name in parse.GetValue(_remove) ?? [])
        {
            detector = detector.WithoutClass(name);
        }

        foreach (string pair in parse.GetValue(_add) ?? [])
        {
            if (pair.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } folder])
            {
                throw new CommandException($"--add {pair}: expected NAME=FOLDER, such as zebra=photos/zebra.");
            }

            ImageFolder images = ImageFolder.OpenUnsorted(folder);
            output.WriteLine($"Added to {name}: {images}");
            EncodedFolder encoded = encoding.Encode(images, name, output);
            string[] classes = [.. detector.Classes, name];
            TextFeatures? text = detector.Options.Text is { } old && encoding.Model!.Reader is { } reader
                ? reader.EncodeClasses(classes, old.Prompt.Split(" | ")).ToTextFeatures(classes)
                : null;
            detector = detector.WithClass(name, encoded.Set.Features, [.. encoded.Files.Select(file => $"{name}/{images.NameOf(file)}")], text);
        }

        return detector;
    }

    /// <summary>Each image by itself, as its name comes in.</summary>
    private static void JudgeStream(NoveltyDetector detector, Encoding encoding, double rate, TextWriter output, TextWriter error)
    {
        error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Each image is judged by itself: of known images, at most {100 * rate:F0} % are called new. Columns: file, verdict, p-value, nearest class, nearest known image."));
        while (Console.In.ReadLine() is string line)
        {
            if (line.Trim() is not { Length: > 0 } file)
            {
                continue;
            }

            ClipEncoding encoded = encoding.Model!.Encoder.EncodeImages([file]);
            if (encoded.Count == 0)
            {
                output.WriteLine($"{file}\tnot read\t\t\t{encoded.Failures[0].Message}");
            }
            else
            {
                NoveltyVerdict verdict = detector.Judge(new Embeddings(1, encoded.Width, encoded.Values), rate).Verdicts[0];
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file}\t{(verdict.Listed ? "new" : "known")}\t{verdict.PValue:G3}\t{verdict.Class}\t{verdict.Nearest}"));
            }

            output.Flush();
        }
    }

    /// <summary>Encodes folders with one model, and tells how it goes on.</summary>
    private sealed class Encoding(PhotoModel? model, TextWriter error) : IProgress<ClipProgress>
    {
        private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);

        private readonly Stopwatch _since = Stopwatch.StartNew();

        public PhotoModel? Model => model;

        public EncodedFolder Encode(ImageFolder folder, string name, TextWriter output)
        {
            EncodedFolder encoded = folder.Encode(model!.Encoder, name, this);
            foreach (ClipFailure failure in encoded.Failures)
            {
                output.WriteLine($"Broken, left out: {folder.NameOf(failure.Path)} ({failure.Message.Replace(failure.Path, folder.NameOf(failure.Path), StringComparison.Ordinal)})");
            }

            return encoded;
        }

        public void Report(ClipProgress value)
        {
            if (_since.Elapsed > _pause)
            {
                _since.Restart();
                error.WriteLine($"encoded {value}");
            }
        }
    }
}
