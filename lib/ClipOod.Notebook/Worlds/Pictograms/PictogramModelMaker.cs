using System.Diagnostics;
using System.Runtime.InteropServices;
using ClipOod.Autodiff;
using ClipOod.Clip;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook;

/// <summary>Trains a model of the embedded world, measures it with the library's own scores, and puts it into its place when it is whole.</summary>
internal static class PictogramModelMaker
{
    /// <summary>Trains, measures and writes a model.</summary>
    /// <param name="folder">Folder of the pictograms, with the concepts.</param>
    /// <param name="model">Name of the model, a folder in <c>models/</c>; one of this name is replaced.</param>
    /// <param name="options">How to train.</param>
    /// <param name="work">Folder for checkpoints and for what is not finished.</param>
    /// <param name="command">The command, for the manifest.</param>
    /// <param name="commit">The commit of the code, for the manifest.</param>
    /// <param name="progress">Told after every update.</param>
    /// <param name="cancellation">Stops after an update, with a checkpoint.</param>
    /// <returns>The manifest, with what was measured.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; the same call goes on from the checkpoint.</exception>
    /// <exception cref="InvalidDataException">A concept file is broken, or the checkpoint is of another training.</exception>
    public static PictogramManifest Make(
        string folder,
        string model,
        PictogramTrainingOptions options,
        string work,
        string command,
        string commit,
        IProgress<PictogramProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<Concept> concepts = ConceptFile.LoadFolder(Path.Combine(folder, "concepts"));
        using PictogramTrainer trainer = new(concepts, options);
        trainer.Run(Path.Combine(work, "checkpoint"), progress, cancellation);

        // Measured from files as the world will read them, so in half precision.
        string staging = Path.Combine(work, "result");
        string files = PictogramFolder.FolderOf(staging, model);
        CopyFolder(Path.Combine(folder, "concepts"), Path.Combine(staging, "concepts"));
        Directory.CreateDirectory(files);
        string weights = Path.Combine(files, PictogramFolder.WeightsFile), vocabulary = Path.Combine(files, PictogramFolder.VocabularyFile);
        trainer.Model.Save(weights, halfPrecision: true);
        BpeTraining.Save(vocabulary, trainer.Merges);
        PictogramManifest manifest = new()
        {
            Command = command,
            Commit = commit,
            Made = DateTime.UtcNow,
            Seconds = Math.Round(trainer.Trained.TotalSeconds),
            Cores = Environment.ProcessorCount,
            Versions = new(StringComparer.Ordinal)
            {
                [".NET"] = Environment.Version.ToString(),
                ["ONNX Runtime"] = OrtEnv.Instance().GetVersionString(),
                ["SkiaSharp"] = PictogramArtist.RasteriserVersion,
                ["system"] = RuntimeInformation.RuntimeIdentifier,
            },
            Options = options,
            Parameters = trainer.Model.Config.ParameterCount,
            VocabularySize = trainer.Model.Config.VocabularySize,
            Bytes = new FileInfo(weights).Length,
            WeightsSha256 = PictogramManifest.HashFile(weights),
            VocabularySha256 = PictogramManifest.HashFile(vocabulary),
            ConceptsSha256 = PictogramFolder.HashConcepts(folder),
            HeldOut = [.. concepts.Where(concept => concept.HeldOut).Select(concept => concept.Name)],
            History = trainer.History,
        };
        manifest.Save(Path.Combine(files, PictogramManifest.FileName));
        PictogramStudio pictograms = new(PictogramFolder.Open(staging, model), Path.Combine(work, "cache"));
        manifest = Measure(manifest, PictogramWorld.Open(pictograms, seed: 0));
        manifest.Save(Path.Combine(files, PictogramManifest.FileName));

        // The manifest goes last: it is what makes the other two a model.
        string target = Directory.CreateDirectory(PictogramFolder.FolderOf(folder, model)).FullName;
        foreach (string name in new[] { PictogramFolder.WeightsFile, PictogramFolder.VocabularyFile, PictogramManifest.FileName })
        {
            AtomicFile.Write(Path.Combine(target, name), temporary => File.Copy(Path.Combine(files, name), temporary));
        }

        return manifest;
    }

    /// <summary>Zero-shot accuracy of every data set and prompt, and AUROC of four scores against every OOD set.</summary>
    /// <param name="manifest">The manifest to complete.</param>
    /// <param name="world">The model's world.</param>
    public static PictogramManifest Measure(PictogramManifest manifest, World world)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(world);
        SortedDictionary<string, double> accuracy = new(StringComparer.Ordinal);
        foreach (Dataset set in world.Datasets.Values)
        {
            foreach (TextFeatures text in set.TextByPrompt.Values)
            {
                string prompt = text.Prompt == set.DefaultPrompt ? "one prompt" : "prompt ensemble";
                accuracy[$"{set.Role} {prompt}"] = Math.Round(
                    Predictions.FromLogits(Similarity.Cosines(set.Test.Features, text.Features), set.Test.Labels).Accuracy, 4);
            }
        }

        return manifest with { Accuracy = accuracy, Auroc = Aurocs(world, DetectorsOf) };
    }

    /// <summary>Trains the "no" text tower of the world's model (CLIPN), measures it and writes it beside the model.</summary>
    /// <param name="folder">Folder of the pictograms.</param>
    /// <param name="model">Name of the model that gets the tower.</param>
    /// <param name="cache">Folder where the world keeps features.</param>
    /// <param name="options">How to train.</param>
    /// <param name="command">The command, for the manifest.</param>
    /// <param name="commit">The commit of the code, for the manifest.</param>
    /// <param name="progress">Told after every step: its number from 0, and its losses.</param>
    /// <param name="cancellation">Stops between steps; nothing is written then.</param>
    /// <returns>The manifest, with what was measured.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static NoTextManifest MakeNoText(
        string folder,
        string model,
        string cache,
        NoTextOptions options,
        string command,
        string commit,
        Action<long, ClipnLossValues>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        PictogramFolder files = PictogramFolder.Open(folder, model);
        World world = PictogramWorld.Open(new PictogramStudio(files, cache), seed: 0);
        (RgbImage[] pictures, string[] captions) = DrawCaptioned([.. files.Concepts.Where(concept => !concept.HeldOut)], options);
        Stopwatch clock = Stopwatch.StartNew();
        using ClipModel clip = files.LoadModel();
        float[] features = clip.EncodeImages(pictures, new ClipEncodingOptions { BatchSize = 64 }, cancellation).Values;
        using ClipnTrainer trainer = new(clip, options: new ClipnTrainerOptions
        {
            LearningRate = options.LearningRate,
            DuplicateCosine = options.DuplicateCosine,
            Seed = options.Seed,
        });
        IReadOnlyList<ClipnLossValues> history = trainer.Train(features, captions, options.Epochs, options.BatchSize, progress, cancellation);
        string target = PictogramFolder.FolderOf(folder, model), weights = Path.Combine(target, NoTextManifest.WeightsFile);
        trainer.NoTower.Save(weights);
        NoTextManifest manifest = new()
        {
            Command = command,
            Commit = commit,
            Made = DateTime.UtcNow,
            Seconds = Math.Round(clock.Elapsed.TotalSeconds),
            Options = options,
            WeightsSha256 = PictogramManifest.HashFile(weights),
            ModelSha256 = files.Manifest.WeightsSha256,
            History = history,
            Auroc = MeasureNoText(world, trainer.NoTower),
        };
        manifest.Save(Path.Combine(target, NoTextManifest.FileName));
        return manifest;
    }

    private static (RgbImage[] Pictures, string[] Captions) DrawCaptioned(Concept[] concepts, NoTextOptions options)
    {
        RgbImage[] pictures = new RgbImage[concepts.Length * options.PicturesPerConcept];
        string[] captions = new string[pictures.Length];
        Parallel.For(0, pictures.Length, () => new PictogramArtist(), (i, _, artist) =>
        {
            Concept concept = concepts[i % concepts.Length];
            Random random = new(PictogramSeed.Of(FormattableString.Invariant($"no-text {options.Seed}"), concept.Name, i));
            PictogramStyle style = PictogramStyle.Random(concept, random);
            (pictures[i], captions[i]) = (artist.Draw(concept, style, random), CaptionWriter.Write(concept, style, random));
            return artist;
        }, artist => artist.Dispose());
        return (pictures, captions);
    }

    private static Func<FeatureSet, IdScores[]> DetectorsOf(Bench bench)
    {
        FittedDetector[] fitted = [.. new[] { "msp", "mcm", "energy", "1-nn" }.Select(key => ((ImageDetector)DetectorCatalog.Of(key)).Fit(bench.Known))];
        return images => [.. fitted.Select(detector => detector.Score(images))];
    }

    private static SortedDictionary<string, double> MeasureNoText(World world, ClipNoTextTower tower) => Aurocs(world, bench =>
    {
        Embeddings no = tower.EncodeNoClasses(bench.Id.Classes, [CaptionWriter.Prompt]).ToTextFeatures(bench.Id.Classes).Features;
        return images =>
        {
            Matrix yesCosines = Similarity.Cosines(images.Features, bench.Known.Text.Features), noCosines = Similarity.Cosines(images.Features, no);
            return [Clipn.Ctw(yesCosines, noCosines, world.LogitScale), Clipn.Atd(yesCosines, noCosines, world.LogitScale), Scores.Msp(yesCosines.Scale(world.LogitScale))];
        };
    });

    /// <summary>AUROC of every ID set against every OOD set of its bench, by the scores that are made for it.</summary>
    private static SortedDictionary<string, double> Aurocs(World world, Func<Bench, Func<FeatureSet, IdScores[]>> scoresOf)
    {
        SortedDictionary<string, double> auroc = new(StringComparer.Ordinal);
        foreach (Bench bench in world.Datasets.Keys.Select(world.Bench))
        {
            Func<FeatureSet, IdScores[]> scores = scoresOf(bench);
            IdScores[] id = scores(bench.Test);
            foreach (OodSet ood in bench.Ood.Values)
            {
                foreach ((IdScores inside, IdScores outside) in id.Zip(scores(ood.Images)))
                {
                    auroc[$"{bench.Role} {ood.Role} {inside.Name}"] = Math.Round(Metrics.Auroc(inside, outside), 4);
                }
            }
        }

        return auroc;
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from).Order(StringComparer.Ordinal))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }
}
