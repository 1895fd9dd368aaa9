using System.Globalization;
using System.Text;

namespace ClipOod.Notebook;

/// <summary>
/// Every OOD score of the workbook, once. The README's table of methods is this one, and tests walk it: each score exists, is taught and
/// is checked.
/// </summary>
public static class ScoreRegistry
{
    private const string Plp = "Adapting Contrastive Language-Image Pretrained (CLIP) Models for Out-of-Distribution Detection";
    private const string PlpCode = "HHU-MMBS/plp-official-tmlr2024";
    private const string Clipn = "CLIPN for Zero-Shot OOD Detection: Teaching CLIP to Say No";
    private const string ClipnCode = "xmed-lab/CLIPN";

    /// <summary>The scores, family by family.</summary>
    public static IReadOnlyList<ScoreInfo> All { get; } =
    [
        new()
        {
            Key = "msp",
            Name = "MSP",
            Family = ScoreFamily.ZeroShot,
            Authors = "Hendrycks & Gimpel",
            Title = "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural Networks",
            Year = 2017,
            Url = Arxiv("1610.02136"),
            ReferenceCode = "hendrycks/error-detection",
            Equation = "max p, p = softmax(100 s)",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.Msp)}",
            Notebook = 1,
            Golden = "scores",
        },
        new()
        {
            Key = "negative-entropy",
            Name = "Negative entropy",
            Family = ScoreFamily.ZeroShot,
            Authors = "Chan et al.",
            Title = "Entropy Maximization and Meta Classification for Out-of-Distribution Detection in Semantic Segmentation",
            Year = 2021,
            Url = Arxiv("2012.06575"),
            ReferenceCode = "kkirchheim/pytorch-ood",
            Equation = "Σ p ln p",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.NegativeEntropy)}",
            Notebook = 1,
            Golden = "scores",
        },
        new()
        {
            Key = "variance",
            Name = "Variance",
            Family = ScoreFamily.ZeroShot,
            Authors = "Adaloglou et al.",
            Title = Plp,
            Year = 2024,
            Url = Arxiv("2303.05828"),
            ReferenceCode = PlpCode,
            Equation = "mean (p − mean p)²",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.Variance)}",
            Notebook = 1,
            Golden = "scores",
        },
        new()
        {
            Key = "margin",
            Name = "Margin",
            Family = ScoreFamily.ZeroShot,
            Authors = "Liang et al.",
            Title = "Revisiting Logit Distributions for Reliable Out-of-Distribution Detection",
            Year = 2025,
            Url = Arxiv("2510.20134"),
            ReferenceCode = "GIT-LJc/LogitGap",
            Equation = "z₍₁₎ − z₍₂₎, LogitGap with M = 2",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.Margin)}",
            Notebook = 1,
            Golden = "scores",
        },
        new()
        {
            Key = "energy",
            Name = "Energy",
            Family = ScoreFamily.ZeroShot,
            Authors = "Liu et al.",
            Title = "Energy-based Out-of-distribution Detection",
            Year = 2020,
            Url = Arxiv("2010.03759"),
            ReferenceCode = "wetliu/energy_ood",
            Equation = "T ln Σ exp(z/T)",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.Energy)}",
            Notebook = 9,
            Golden = "scores",
        },
        new()
        {
            Key = "max-logit",
            Name = "MaxLogit",
            Family = ScoreFamily.ZeroShot,
            Authors = "Hendrycks et al.",
            Title = "Scaling Out-of-Distribution Detection for Real-World Settings",
            Year = 2022,
            Url = Arxiv("1911.11132"),
            ReferenceCode = "hendrycks/anomaly-seg",
            Equation = "max z",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.MaxLogit)}",
            Notebook = 9,
            Golden = "scores",
        },
        new()
        {
            Key = "odin",
            Name = "ODIN",
            Family = ScoreFamily.ZeroShot,
            Authors = "Liang et al.",
            Title = "Enhancing The Reliability of Out-of-distribution Image Detection in Neural Networks",
            Year = 2018,
            Url = Arxiv("1706.02690"),
            ReferenceCode = "facebookresearch/odin",
            Equation = "max softmax(z(x̃)/T), x̃ = x − ε sign ∇ₓ CE(z(x)/T, ŷ)",
            Needs = ScoreInputs.Pixels | ScoreInputs.Text,
            Member = "Odin.Score",
            Notebook = 10,
            WithoutGolden = "the gradient is that of a model's pixels; compared with finite differences",
        },
        new()
        {
            Key = "zoc",
            Name = "ZOC",
            Family = ScoreFamily.ZeroShot,
            Authors = "Esmaeilpour et al.",
            Title = "Zero-Shot Out-of-Distribution Detection Based on the Pre-trained Model CLIP",
            Year = 2022,
            Url = Arxiv("2109.02748"),
            ReferenceCode = "sesmae/ZOC",
            Equation = "Σ over classes of softmax(100 s) over classes and candidate words",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.OodText,
            Member = "Zoc.Score",
            Notebook = 10,
            Golden = "negative_labels",
            Substitute = "a fixed list of candidate words in place of a caption decoder that writes them for each image",
        },
        new()
        {
            Key = "mcm",
            Name = "MCM",
            Family = ScoreFamily.ZeroShot,
            Authors = "Ming et al.",
            Title = "Delving into Out-of-Distribution Detection with Vision-Language Representations",
            Year = 2022,
            Url = Arxiv("2211.13445"),
            ReferenceCode = "deeplearning-wisc/MCM",
            Equation = "max softmax(s/T), T = 1",
            Needs = ScoreInputs.Features | ScoreInputs.Text,
            Member = $"{nameof(Scores)}.{nameof(Scores.Mcm)}",
            Notebook = 9,
            Golden = "scores",
        },
        new()
        {
            Key = "gl-mcm",
            Name = "GL-MCM",
            Family = ScoreFamily.ZeroShot,
            Authors = "Miyai et al.",
            Title = "GL-MCM: Global and Local Maximum Concept Matching for Zero-Shot Out-of-Distribution Detection",
            Year = 2025,
            Url = Arxiv("2304.04521"),
            ReferenceCode = "AtsuMiyai/GL-MCM",
            Equation = "max softmax(s) + λ max over patches of max softmax(s of the patch), λ = 1",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.PatchTokens,
            Member = $"{nameof(GlMcm)}.{nameof(GlMcm.Score)}",
            Notebook = 9,
            Golden = "glmcm",
        },
        new()
        {
            Key = "min-shifted-l1",
            Name = "Min-shifted L1",
            Family = ScoreFamily.ZeroShot,
            Authors = "Adaloglou et al.",
            Title = Plp,
            Year = 2024,
            Url = Arxiv("2303.05828"),
            ReferenceCode = PlpCode,
            Equation = "Σ (z − min z)",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.MinShiftedL1)}",
            Notebook = 9,
            Golden = "scores",
        },
        new()
        {
            Key = "neglabel",
            Name = "NegLabel",
            Family = ScoreFamily.ZeroShot,
            Authors = "Jiang et al.",
            Title = "Negative Label Guided OOD Detection with Pretrained Vision-Language Models",
            Year = 2024,
            Url = Arxiv("2403.20078"),
            ReferenceCode = "tmlr-group/NegLabel",
            Equation = "mean over groups of Σ over classes of softmax(100 s) over classes and the group's negatives",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.OodText,
            Member = $"{nameof(NegativeLabels)}.{nameof(NegativeLabels.Score)}",
            Notebook = 9,
            Golden = "negative_labels",
        },
        new()
        {
            Key = "eoe",
            Name = "EOE",
            Family = ScoreFamily.ZeroShot,
            Authors = "Cao et al.",
            Title = "Envisioning Outlier Exposure by Large Language Models for Out-of-Distribution Detection",
            Year = 2024,
            Url = Arxiv("2406.00806"),
            ReferenceCode = "tmlr-group/EOE",
            Equation = "max over classes of p − β max over outliers of p, p = softmax(s) over both, β = 0.25",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.OodText,
            Member = $"{nameof(Eoe)}.{nameof(Eoe.Score)}",
            Notebook = 9,
            Golden = "negative_labels",
            Substitute = "a fixed list of outlier names in place of a language model's",
        },
        new()
        {
            Key = "csp",
            Name = "CSP",
            Family = ScoreFamily.ZeroShot,
            Authors = "Chen et al.",
            Title = "Conjugated Semantic Pool Improves OOD Detection with Pre-trained Vision-Language Models",
            Year = 2024,
            Url = Arxiv("2410.08611"),
            ReferenceCode = "MengyuanChen21/NeurIPS2024-CSP",
            Equation = "NegLabel with nouns and phrases \"adjective superclass\", none of cosine > 0.95 to a class",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.OodText,
            Member = $"{nameof(Csp)}.{nameof(Csp.Score)}",
            Notebook = 9,
            WithoutGolden = "mining and score are NegLabel's, which have golden values; exclusion and phrases are checked by hand",
        },
        new()
        {
            Key = "logitgap",
            Name = "LogitGap",
            Family = ScoreFamily.ZeroShot,
            Authors = "Liang et al.",
            Title = "Revisiting Logit Distributions for Reliable Out-of-Distribution Detection",
            Year = 2025,
            Url = Arxiv("2510.20134"),
            ReferenceCode = "GIT-LJc/LogitGap",
            Equation = "z₍₁₎ − mean(z₍₂₎ … z₍M₎)",
            Needs = ScoreInputs.Logits,
            Member = $"{nameof(Scores)}.{nameof(Scores.LogitGap)}",
            Notebook = 9,
            Golden = "scores",
        },
        new()
        {
            Key = "negrefine",
            Name = "NegRefine",
            Family = ScoreFamily.ZeroShot,
            Authors = "Ansari et al.",
            Title = "NegRefine: Refining Negative Label-Based Zero-Shot OOD Detection",
            Year = 2025,
            Url = Arxiv("2507.09795"),
            ReferenceCode = "ah-ansari/NegRefine",
            Equation = "NegLabel + 2 max over pairs of σ(100 (s of \"id and negative\" − s of the negative))",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.OodText,
            Member = $"{nameof(NegRefine)}.{nameof(NegRefine.Score)}",
            Notebook = 9,
            Golden = "negrefine_smm",
            Substitute = "no language model strikes proper nouns and sub-categories from the negatives",
        },
        new()
        {
            Key = "mds",
            Name = "MDS",
            Family = ScoreFamily.IdFeatures,
            Authors = "Lee et al.",
            Title = "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
            Year = 2018,
            Url = Arxiv("1807.03888"),
            ReferenceCode = "pokaxpoka/deep_Mahalanobis_detector",
            Equation = "−min over classes of (x − μ)ᵀ Σ⁻¹ (x − μ)",
            Needs = ScoreInputs.Features | ScoreInputs.Labels,
            Member = $"{nameof(Mahalanobis)}.{nameof(Mahalanobis.Mds)}",
            Notebook = 13,
            Golden = "mahalanobis",
        },
        new()
        {
            Key = "rmd",
            Name = "RMD",
            Family = ScoreFamily.IdFeatures,
            Authors = "Ren et al.",
            Title = "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection",
            Year = 2021,
            Url = Arxiv("2106.09022"),
            ReferenceCode = "Jingkang50/OpenOOD",
            Equation = "−min over classes of (d − d₀), d of the class as in MDS, d₀ of all training data",
            Needs = ScoreInputs.Features | ScoreInputs.Labels,
            Member = $"{nameof(Mahalanobis)}.{nameof(Mahalanobis.Rmd)}",
            Notebook = 13,
            Golden = "mahalanobis",
        },
        new()
        {
            Key = "react",
            Name = "ReAct",
            Family = ScoreFamily.IdFeatures,
            Authors = "Sun et al.",
            Title = "ReAct: Out-of-distribution Detection With Rectified Activations",
            Year = 2021,
            Url = Arxiv("2111.12797"),
            ReferenceCode = "deeplearning-wisc/react",
            Equation = "ln Σ exp(z of min(x, 90th percentile of training features))",
            Needs = ScoreInputs.Features | ScoreInputs.Logits,
            Member = $"{nameof(ReAct)}.{nameof(ReAct.Score)}",
            Notebook = 10,
            Golden = "react",
        },
        new()
        {
            Key = "vim",
            Name = "ViM",
            Family = ScoreFamily.IdFeatures,
            Authors = "Wang et al.",
            Title = "ViM: Out-Of-Distribution with Virtual-logit Matching",
            Year = 2022,
            Url = Arxiv("2203.10807"),
            ReferenceCode = "haoqiwang/vim",
            Equation = "ln Σ exp z − α ‖residual of x outside the main directions‖",
            Needs = ScoreInputs.Features | ScoreInputs.Logits,
            Member = $"{nameof(Vim)}.{nameof(Vim.Score)}",
            Notebook = 13,
            Golden = "vim",
        },
        new()
        {
            Key = "knn",
            Name = "KNN",
            Family = ScoreFamily.IdFeatures,
            Authors = "Sun et al.",
            Title = "Out-of-Distribution Detection with Deep Nearest Neighbors",
            Year = 2022,
            Url = Arxiv("2204.06507"),
            ReferenceCode = "deeplearning-wisc/knn-ood",
            Equation = "cosine to the k-th nearest training image",
            Needs = ScoreInputs.Features,
            Member = $"{nameof(NearestNeighbors)}.{nameof(NearestNeighbors.Cosine)}",
            Notebook = 11,
            Golden = "knn",
        },
        new()
        {
            Key = "1-nn",
            Name = "1-NN",
            Family = ScoreFamily.IdFeatures,
            Authors = "Adaloglou et al.",
            Title = Plp,
            Year = 2024,
            Url = Arxiv("2303.05828"),
            ReferenceCode = PlpCode,
            Equation = "max over training images of the cosine",
            Needs = ScoreInputs.Features,
            Member = $"{nameof(NearestNeighbors)}.{nameof(NearestNeighbors.Cosine)}",
            Notebook = 11,
            Golden = "knn",
        },
        new()
        {
            Key = "clipn-ctw",
            Name = "CLIPN CTW",
            Family = ScoreFamily.Trained,
            Authors = "Wang et al.",
            Title = Clipn,
            Year = 2023,
            Url = Arxiv("2308.12213"),
            ReferenceCode = ClipnCode,
            Equation = "1 − pⁿᵒ of the best class, pⁿᵒ = σ(100 (s of its \"no\" text − s of its text))",
            Needs = ScoreInputs.Features | ScoreInputs.Text,
            Member = "Clipn.Ctw",
            Notebook = 10,
            Golden = "clipn_inference",
        },
        new()
        {
            Key = "clipn-atd",
            Name = "CLIPN ATD",
            Family = ScoreFamily.Trained,
            Authors = "Wang et al.",
            Title = Clipn,
            Year = 2023,
            Url = Arxiv("2308.12213"),
            ReferenceCode = ClipnCode,
            Equation = "Σ (1 − pⁿᵒ) p",
            Needs = ScoreInputs.Features | ScoreInputs.Text,
            Member = "Clipn.Atd",
            Notebook = 10,
            Golden = "clipn_inference",
        },
        new()
        {
            Key = "clipn-lite",
            Name = "CLIPN-lite",
            Family = ScoreFamily.Trained,
            Authors = "Wang et al.",
            Title = Clipn,
            Year = 2023,
            Url = Arxiv("2308.12213"),
            ReferenceCode = ClipnCode,
            Equation = "CLIPN with \"no\" texts A g + σ of the class texts g",
            Needs = ScoreInputs.Features | ScoreInputs.Text,
            Member = "ClipnLite.Atd",
            Notebook = 10,
            Golden = "clipn_losses",
            Substitute = "a linear map of text features in place of a trained copy of the text tower",
        },
        new()
        {
            Key = "plp-msp",
            Name = "PLP MSP",
            Family = ScoreFamily.Trained,
            Authors = "Adaloglou et al.",
            Title = Plp,
            Year = 2024,
            Url = Arxiv("2303.05828"),
            ReferenceCode = PlpCode,
            Equation = "max softmax(z), z logits of a head trained on zero-shot classes",
            Needs = ScoreInputs.Features | ScoreInputs.Text,
            Member = "Plp.Msp",
            Notebook = 12,
            Golden = "plp",
        },
        new()
        {
            Key = "plp-rmd",
            Name = "PLP RMD",
            Family = ScoreFamily.Trained,
            Authors = "Adaloglou et al.",
            Title = Plp,
            Year = 2024,
            Url = Arxiv("2303.05828"),
            ReferenceCode = PlpCode,
            Equation = "RMD of z, z logits of a head trained on zero-shot classes",
            Needs = ScoreInputs.Features | ScoreInputs.Text,
            Member = "Plp.Rmd",
            Notebook = 12,
            Golden = "mahalanobis",
        },
        new()
        {
            Key = "adaneg",
            Name = "AdaNeg",
            Family = ScoreFamily.TestTimeAdaptive,
            Authors = "Zhang & Zhang",
            Title = "AdaNeg: Adaptive Negative Proxy Guided OOD Detection with Vision-Language Models",
            Year = 2024,
            Url = Arxiv("2410.20149"),
            ReferenceCode = "YBZh/OpenOOD-VLM",
            Equation = "NegLabel of proxies from remembered test images + 0.1 NegLabel of the texts",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.OodText | ScoreInputs.Stream,
            Member = $"{nameof(AdaNeg)}.{nameof(AdaNeg.Score)}",
            Notebook = 9,
            WithoutGolden = "the golden values hold no stream; proxies, memory and order are checked by hand",
        },
        new()
        {
            Key = "tanl",
            Name = "TANL",
            Family = ScoreFamily.TestTimeAdaptive,
            Authors = "Zhang et al.",
            Title = "Activation Matters: Test-time Activated Negative Labels for OOD Detection with Vision-Language Models",
            Year = 2026,
            Url = Arxiv("2603.25250"),
            ReferenceCode = "YBZh/OpenOOD-VLM",
            Equation = "mean over m of Σ over classes of softmax(100 s) over classes and the m most activated negatives",
            Needs = ScoreInputs.Features | ScoreInputs.Text | ScoreInputs.OodText | ScoreInputs.Stream,
            Member = $"{nameof(Tanl)}.{nameof(Tanl.Score)}",
            Notebook = 9,
            Golden = "tanl_cumulative",
            Substitute = "a threshold of 0.5 in place of an adaptive one, and no batch-adaptive activations",
        },
    ];

    /// <summary>The scores as a table, one row each.</summary>
    public static ResultTable ToTable() => new ResultTable("OOD scores of this workbook")
        .Text("Score", All.Select(score => score.Name))
        .Text("Family", All.Select(score => NameOf(score.Family)))
        .Text("Needs", All.Select(Needs))
        .Text("Equation, higher = more ID", All.Select(score => score.Equation))
        .Text("Paper", All.Select(score => score.Citation))
        .Text("Reference code", All.Select(score => score.ReferenceCode))
        .Text("Library", All.Select(score => score.Member))
        .Text("Notebook", All.Select(Number))
        .Text("Golden values", All.Select(score => score.Golden ?? $"none: {score.WithoutGolden}"))
        .Text("Substitute", All.Select(score => score.Substitute ?? "no"))
        .Note("s cosines of image and text, z logits, p = softmax(z). Compare scores within a family: adaptive ones see the OOD images, trained ones have weights of their own.");

    /// <summary>The scores as a Markdown table, lines ending in a line feed.</summary>
    public static string ToMarkdown()
    {
        StringBuilder table = new("| score | family | needs | equation, higher = more ID | paper, code | library | notebook |\n|---|---|---|---|---|---|---|\n");
        foreach (ScoreInfo score in All)
        {
            string name = score.Substitute is null ? score.Name : $"{score.Name} (substitute: {score.Substitute})";
            table.Append(
                CultureInfo.InvariantCulture,
                $"| {Cell(name)} | {NameOf(score.Family)} | {Needs(score)} | {Cell(score.Equation)} | [{Cell(score.Citation)}]({score.Url}), [code](https://github.com/{score.ReferenceCode}) | `{score.Member}` | {Number(score)} |\n");
        }

        return table.ToString();
    }

    private static Uri Arxiv(string id) => new($"https://arxiv.org/abs/{id}");

    private static string Number(ScoreInfo score) => score.Notebook.ToString("00", CultureInfo.InvariantCulture);

    private static string NameOf(ScoreFamily family) => family switch
    {
        ScoreFamily.ZeroShot => "zero-shot",
        ScoreFamily.IdFeatures => "needs ID features",
        ScoreFamily.Trained => "trained",
        ScoreFamily.TestTimeAdaptive => "test-time adaptive",
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "Expected a family that has a name."),
    };

    private static string Needs(ScoreInfo score) => string.Join(", ", Enum.GetValues<ScoreInputs>()
        .Where(input => input != ScoreInputs.None && score.Needs.HasFlag(input))
        .Select(input => input switch
        {
            ScoreInputs.Features => "features",
            ScoreInputs.Text => "class texts",
            ScoreInputs.Labels => "labels",
            ScoreInputs.Logits => "logits",
            ScoreInputs.Pixels => "pixels",
            ScoreInputs.OodText => "other texts",
            ScoreInputs.Stream => "a stream",
            ScoreInputs.PatchTokens => "patch features",
            _ => throw new ArgumentOutOfRangeException(nameof(score), input, "Expected an input that has a name."),
        }));

    // A bar would end the cell.
    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
